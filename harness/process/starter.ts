/**
 * Starts programs from a small process. To start one, the kernel copies the page tables of who starts it: 2 ms for a process of
 * 50 MB, 60 ms for one that holds the log of a long run, and so long no peer answers. The starter is small, and stays so.
 *
 * What always holds: what the starter has started ends with it, and it ends with this process, whatever ends that. It keeps
 * this process alive only while something of it is under way.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { CommandJob, CommandResult } from './command.ts'
import { LabError, type ProgramJob, type ProgramResult } from './program.ts'

/** What the starter can do: the job and the result of each. */
export interface Work {
  readonly program: { readonly job: ProgramJob; readonly result: ProgramResult }
  readonly command: { readonly job: CommandJob; readonly result: CommandResult }
}

/** To the starter. */
export type Order =
  | { [What in keyof Work]: { readonly id: number; readonly what: What; readonly job: Work[What]['job'] } }[keyof Work]
  | { readonly id: number; readonly what: 'abort' }

/** From the starter. */
export type Answer =
  | { readonly id: number; readonly result: Work[keyof Work]['result'] }
  | {
      readonly id: number
      readonly error: { readonly message: string; readonly lab?: Pick<LabError, 'code' | 'next'> }
    }

/**
 * Runs a program; see `program.ts`.
 *
 * @param job its deadline counts from its start
 * @param job.signal kills its group at once
 * @throws {LabError} where it is not there or cannot be executed
 */
export async function runProgram({
  signal,
  ...job
}: ProgramJob & { readonly signal: AbortSignal }): Promise<ProgramResult> {
  if (signal.aborted) return { ended: 'aborted', stdout: '', stderr: '', log: [] }
  const result = await ask('program', job, signal)
  // Of the starter's clock, which has another beginning.
  return { ...result, log: result.log.map(({ line, at }) => ({ line, at: at - performance.timeOrigin })) }
}

/**
 * Runs a command; see `command.ts`.
 *
 * @throws {Error} where it cannot be started
 */
export function runCommand(job: CommandJob, signal?: AbortSignal): Promise<CommandResult> {
  return ask('command', job, signal)
}

interface Waiting {
  resolve(result: Work[keyof Work]['result']): void
  reject(error: Error): void
}

class Starter {
  /** False once it has ended. */
  alive = true
  private readonly child: ChildProcess
  private readonly waiting = new Map<number, Waiting>()
  private count = 0

  constructor() {
    const file = fileURLToPath(new URL('./starter-process.js', import.meta.url))
    this.child = fork(file, {
      // A session of its own, so that what interrupts us does not end it before us.
      ...{ serialization: 'advanced', detached: true, execArgv: [] },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.child.on('message', (answer) => this.take(answer as Answer))
    const end = (): void => {
      this.alive = false
      for (const { reject } of this.waiting.values())
        reject(new LabError('client-start', 'the process that starts programs has ended', 'is the memory exhausted?'))
      this.waiting.clear()
    }
    this.child.on('error', end).on('exit', end)
    this.hold()
  }

  do<What extends keyof Work>(what: What, job: Work[What]['job'], signal?: AbortSignal): Promise<Work[What]['result']> {
    this.count += 1
    const id = this.count
    const abort = (): void => this.send({ id, what: 'abort' })
    return new Promise<Work[What]['result']>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject })
      this.hold()
      this.send({ id, what, job } as Order)
      signal?.addEventListener('abort', abort, { once: true })
      if (signal?.aborted === true) abort()
    }).finally(() => signal?.removeEventListener('abort', abort))
  }

  private send(order: Order): void {
    // Where it has ended, its end is told to all that wait.
    if (this.child.connected) this.child.send(order, () => undefined)
  }

  private take(answer: Answer): void {
    const waiting = this.waiting.get(answer.id)
    this.waiting.delete(answer.id)
    this.hold()
    if ('result' in answer) waiting?.resolve(answer.result)
    else {
      const { message, lab } = answer.error
      waiting?.reject(lab === undefined ? new Error(message) : new LabError(lab.code, message, lab.next))
    }
  }

  /** Keeps this process alive while something is under way, and no longer. */
  private hold(): void {
    const { child } = this
    if (this.waiting.size > 0) {
      child.ref()
      child.channel?.ref()
    } else {
      child.unref()
      child.channel?.unref()
    }
  }
}

let starter: Starter | undefined

function ask<What extends keyof Work>(
  what: What,
  job: Work[What]['job'],
  signal?: AbortSignal,
): Promise<Work[What]['result']> {
  if (starter?.alive !== true) starter = new Starter()
  return starter.do(what, job, signal)
}
