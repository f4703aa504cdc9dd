/**
 * A client that is a program: started once per message, its exit status and output are its word. The clients of that
 * sort differ in two functions only, how its command line is made and how its output is read.
 */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClientAdapter, Delivery, Probe } from '../../scenarios/client.ts'
import { LabError, type ProgramResult } from '../process/program.ts'
import { runProgram } from '../process/starter.ts'
import { clientEnvironment, policySupport } from './environment.ts'
import { linkedAbort } from './linked-abort.ts'
import { type Reading, wordOf } from './word.ts'

export interface Command {
  readonly argv: readonly string[]
  /** Given on standard input. */
  readonly input?: Buffer
  /** Added to the client's environment. */
  readonly env?: Readonly<Record<string, string>>
}

export interface ProgramClient
  extends Pick<ClientAdapter, 'id' | 'name' | 'policies' | 'documented' | 'passwords' | 'namesPeers' | 'probe'> {
  /** The command line. `messageFile` holds the message; files of its own go into `delivery.folder`. */
  command(delivery: Delivery, messageFile: string, version: string): Command | Promise<Command>
  /** Its own words about what happened; called only when it ended by itself with a status. */
  read(result: ProgramResult, delivery: Delivery): Reading
  /**
   * Milliseconds of its shortest limit for a wait, where no option changes it. A deadline that comes sooner is the
   * scale's doing and no hang: its word is then that it failed.
   */
  readonly fixedLimitMs?: number
  /** Why it cannot do this delivery, where it cannot. */
  refuses?(delivery: Delivery): string | undefined
}

/** The adapter of a program. */
export function programClient(client: ProgramClient): ClientAdapter {
  const { id, name, policies, documented, passwords, namesPeers } = client
  const deliver = async (delivery: Delivery, signal: AbortSignal, version: string) => {
    const support = policySupport(client, delivery.policy)
    const refused = 'unsupported' in support ? support.unsupported : client.refuses?.(delivery)
    if (refused !== undefined) return { state: 'unsupported' as const, log: [], reason: refused }
    const messageFile = join(delivery.folder, 'message.eml')
    await writeFile(messageFile, delivery.message)
    const command = await client.command(delivery, messageFile, version)
    const result = await runProgram({
      argv: command.argv,
      env: clientEnvironment({ HOME: delivery.folder, ...command.env }),
      ...(command.input === undefined ? {} : { input: command.input }),
      cwd: delivery.folder,
      deadlineMs: delivery.deadlineMs,
      signal,
    })
    const word = wordOf(result, () => client.read(result, delivery))
    const limit = client.fixedLimitMs ?? 0
    if (result.ended !== 'deadline' || delivery.deadlineMs > limit) return word
    const reason = `ended at the deadline, before its own limit of ${limit / 1000} s for a wait`
    return { ...word, state: 'failed' as const, reason }
  }
  return {
    ...{ id, name, kind: 'one-shot', policies, documented, passwords, namesPeers },
    probe: () => client.probe(),
    start: async () => {
      const probe = await client.probe()
      if (!probe.found) throw new LabError('client-missing', `${name} is not on this machine`, probe.install)
      const stopped = new AbortController()
      const running = new Set<Promise<unknown>>()
      return {
        deliver: (delivery, signal) => {
          const linked = linkedAbort([signal, stopped.signal])
          const word = deliver(delivery, linked.signal, probe.version)
          running.add(word)
          const done = () => {
            linked.release()
            running.delete(word)
          }
          word.then(done, done)
          return word
        },
        stop: async () => {
          stopped.abort()
          await Promise.allSettled(running)
        },
      }
    },
  }
}

/** How long a program may take to tell its version, in milliseconds. */
const PROBE_MS = 20_000

/**
 * Asks a program for its version.
 *
 * @param pattern its first group is the version; without it, the first line that the program prints is.
 * @param install a command or a sentence that says how to get it.
 */
export async function probeProgram(argv: readonly string[], install: string, pattern?: RegExp): Promise<Probe> {
  const signal = new AbortController().signal
  try {
    const result = await runProgram({
      argv,
      env: clientEnvironment(),
      cwd: process.cwd(),
      deadlineMs: PROBE_MS,
      signal,
    })
    const text = `${result.stdout}\n${result.stderr}`
    const version =
      pattern === undefined ? text.split('\n').find((line) => line.trim() !== '') : pattern.exec(text)?.[1]
    if (result.ended === 'exit' && version !== undefined) return { found: true, version: version.trim() }
    return { found: false, install: `"${argv.join(' ')}" tells no version; ${install}` }
  } catch (error) {
    if (error instanceof LabError) return { found: false, install }
    throw error
  }
}
