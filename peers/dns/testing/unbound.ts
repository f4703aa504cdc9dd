/**
 * For the tests: real unbound in front of an internet of ours, as an independent validator. It is run inside a network
 * of its own (namespace.ts), with the name servers on port 53: only so do referrals work, and QNAME minimisation with
 * them (of a stub zone unbound takes an intermediate NXDOMAIN for a failure of all its servers). Where everything is at
 * one port it forwards, and needs no network of its own.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import type { SocketAddress } from '../../events.ts'
import type { Internet } from '../internet.ts'
import { decodeMessage, encodeMessage, extendedErrors, type Message, queryFor } from '../message.ts'
import { rcodeText, typeNumber } from '../numbers.ts'
import { anchorFile } from '../trust-anchor.ts'
import { hintsFile, type UnboundOptions, unboundConfiguration } from '../unbound-configuration.ts'
import { exchange } from './stub.ts'

/** Why a test with this program cannot run; false where it can. */
export function lacks(program: string, ...probe: readonly string[]): string | false {
  return spawnSync(program, probe, { stdio: 'ignore' }).error === undefined ? false : `${program} is not installed`
}

type Paths = [anchor: string, hints: string, configuration: string]

export interface Validator {
  readonly at: SocketAddress
  /** Its configuration, which unbound-host takes too. */
  readonly configuration: string
  /** What it logged: why an answer is bogus. */
  readonly lines: readonly string[]
  ask(name: string, type: string): Promise<Message>
  /** `NOERROR AD`, `SERVFAIL EDE 6`. */
  says(name: string, type: string): Promise<string>
}

/** The name servers of `internet` listen on port 53 already; or there is `onePort` for everything. */
export async function startUnbound(
  t: Test,
  internet: Internet,
  profile: UnboundOptions['profile'] = 'classic',
  onePort?: SocketAddress,
): Promise<Validator> {
  const folder = mkdtempSync(join(tmpdir(), 'badmx-unbound-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const at = ownAddress()
  const [anchor, hints, configuration] = ['anchor', 'hints', 'conf'].map((name) => join(folder, name)) as Paths
  writeFileSync(anchor, anchorFile(internet))
  writeFileSync(hints, hintsFile(internet))
  const upstream = onePort === undefined ? { hints } : { forward: onePort }
  writeFileSync(
    configuration,
    unboundConfiguration({ internet, listen: [at], anchor, profile, timing: 'fast', ...upstream }),
  )
  const child = spawn('unbound', ['-d', '-c', configuration], { stdio: ['ignore', 'ignore', 'pipe'] })
  t.teardown(() => end(child))
  const lines: string[] = []
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`unbound ended: ${lines.join('\n')}`)))
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line)
      if (line.includes('start of service')) resolve()
    })
  })
  const ask = async (name: string, type: string): Promise<Message> => {
    const query = queryFor(name, typeNumber(type) ?? 0, { id: 1, rd: true, edns: { do: true } })
    const octets = await exchange(at, encodeMessage(query), 'tcp')
    if (octets === undefined) throw new Error(`unbound closed on ${name} ${type}`)
    return decodeMessage(octets)
  }
  return {
    at,
    configuration: join(folder, 'conf'),
    lines,
    ask,
    says: async (name, type) => summary(await ask(name, type)),
  }
}

/** `NOERROR AD`, `SERVFAIL EDE 6`. */
export function summary(message: Message): string {
  const ede = extendedErrors(message).map((code) => ` EDE ${code}`)
  return `${rcodeText(message.rcode)}${message.ad ? ' AD' : ''}${ede.join('')}`
}

/** An address of this process's own, and a port that no outgoing socket is given: nothing else can come to have it. */
function ownAddress(): SocketAddress {
  started += 1
  return {
    address: `127.${53 + (process.pid >> 16)}.${(process.pid >> 8) & 255}.${process.pid & 255}`,
    port: 5300 + started,
  }
}

let started = 0

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
