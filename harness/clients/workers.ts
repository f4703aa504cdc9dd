/**
 * A few long-lived processes that each run one library, so that a thousand cells do not cost a thousand starts.
 *
 * A worker reads jobs from standard input and writes answers to standard output, one JSON object a line: first
 * `{"ready":true}`, then for each job `{…,"id":n}` one `{"id":n,"answer":…}`. It does one job at a time; what it
 * writes to standard error is the log. `"retire":true` in an answer says that something of the job is still going on, so
 * that the process must not serve another one.
 *
 * What always holds: a worker that dies or is killed takes its own job along and no other; the next job gets a fresh
 * one; the deadline of a job counts from the moment when a ready worker has read it (a large message takes its time); a
 * worker's death while it has no job is nobody's crash.
 */

import type { ChildProcess } from 'node:child_process'
import { ended, type HeardLine, killGroup, LabError, spawnGroup, Tail } from '../process/program.ts'
import { linkedAbort } from './linked-abort.ts'

export interface WorkerProgram {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
}

export type JobEnd =
  | { readonly how: 'answer'; readonly answer: Readonly<Record<string, unknown>>; readonly log: readonly HeardLine[] }
  | {
      readonly how: 'died'
      readonly exitCode?: number
      readonly signalName?: string
      readonly log: readonly HeardLine[]
    }
  | { readonly how: 'deadline' | 'aborted'; readonly log: readonly HeardLine[] }

/** At most this many processes; more jobs than that wait for their turn. */
const POOL = 12

/** How long a worker may take until it is ready, and until it has read a job, in milliseconds. */
const READY_MS = 60_000

/** A line longer than this is no answer, in characters. */
const LONGEST_LINE = 4 * 1024 * 1024

export class WorkerPool {
  private readonly program: WorkerProgram
  private readonly idle: Worker[] = []
  private readonly all = new Set<Worker>()
  private readonly waiting: (() => void)[] = []
  private readonly stopping = new AbortController()
  private busy = 0

  constructor(program: WorkerProgram) {
    this.program = program
  }

  /**
   * Runs one job.
   *
   * @param deadlineMs milliseconds from the moment when a worker gets the job.
   * @throws {LabError} where no worker can be started
   */
  async run(job: object, deadlineMs: number, signal: AbortSignal): Promise<JobEnd> {
    const linked = linkedAbort([signal, this.stopping.signal])
    const both = linked.signal
    await this.turn(both)
    try {
      if (both.aborted) return { how: 'aborted', log: [] }
      const worker = await this.ready(both)
      if (worker === undefined) return { how: 'aborted', log: [] }
      const end = await worker.run(job, deadlineMs, both)
      if (worker.usable) this.idle.push(worker)
      return end
    } finally {
      linked.release()
      this.busy -= 1
      this.waiting.shift()?.()
    }
  }

  /** Kills every worker; jobs under way end as aborted. Idempotent. */
  async stop(): Promise<void> {
    this.stopping.abort()
    const all = [...this.all]
    for (const worker of all) worker.kill()
    await Promise.all(all.map((worker) => worker.gone))
  }

  private async turn(signal: AbortSignal): Promise<void> {
    while (this.busy >= POOL && !signal.aborted)
      await new Promise<void>((resolve) => {
        const go = () => {
          signal.removeEventListener('abort', leave)
          resolve()
        }
        const leave = () => {
          this.waiting.splice(this.waiting.indexOf(go), 1)
          resolve()
        }
        this.waiting.push(go)
        signal.addEventListener('abort', leave, { once: true })
      })
    this.busy += 1
  }

  private async ready(signal: AbortSignal): Promise<Worker | undefined> {
    for (let worker = this.idle.pop(); worker !== undefined; worker = this.idle.pop()) if (worker.usable) return worker
    const worker = new Worker(this.program)
    this.all.add(worker)
    void worker.gone.then(() => this.all.delete(worker))
    const onAbort = () => worker.kill()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      await worker.ready
      return worker
    } catch (error) {
      if (signal.aborted) return undefined
      throw error
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
}

/** The job that a worker has. */
interface Current {
  readonly id: number
  end(end: JobEnd): void
}

class Worker {
  /** Resolves when it can take jobs; rejects when it cannot be started. */
  readonly ready: Promise<void>
  /** Resolves when the process and its group are gone. */
  readonly gone: Promise<void>
  private readonly child: ChildProcess
  private readonly stderr = new Tail()
  private line = ''
  private current: Current | undefined
  private count = 0
  private dead = false
  private becomeReady: () => void = () => undefined
  private failReady: (error: Error) => void = () => undefined

  constructor(program: WorkerProgram) {
    this.ready = new Promise((resolve, reject) => {
      this.becomeReady = resolve
      this.failReady = reject
    })
    this.child = spawnGroup(program.argv, program.env, program.cwd, 'pipe')
    this.child.stdin?.on('error', () => undefined)
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.take(text))
    this.child.stderr?.on('data', (chunk: Buffer) => this.stderr.add(chunk))
    const timer = setTimeout(() => this.kill(), READY_MS)
    const notReady = (why: string) =>
      this.failReady(new LabError('client-start', `${program.argv.join(' ')}: ${why}`, 'run it by hand to see why'))
    this.gone = ended(this.child).then(
      ({ code, signal }) => {
        this.dead = true
        clearTimeout(timer)
        notReady(`ended before it was ready: ${this.stderr.text().trim()}`)
        const how = signal === null ? { exitCode: code ?? 0 } : { signalName: signal }
        this.current?.end({ how: 'died', ...how, log: this.stderr.log() })
      },
      (error: Error) => {
        this.dead = true
        clearTimeout(timer)
        this.failReady(error)
      },
    )
    this.ready.then(
      () => clearTimeout(timer),
      () => undefined,
    )
  }

  get usable(): boolean {
    return !this.dead
  }

  kill(): void {
    this.dead = true
    killGroup(this.child)
  }

  run(job: object, deadlineMs: number, signal: AbortSignal): Promise<JobEnd> {
    this.count += 1
    const id = this.count
    this.stderr.clear()
    return new Promise((resolve) => {
      const cut = (how: 'deadline' | 'aborted') => {
        this.kill()
        this.current?.end({ how, log: this.stderr.log() })
      }
      let timer = setTimeout(() => cut('deadline'), READY_MS)
      const onAbort = () => cut('aborted')
      const end = (jobEnd: JobEnd) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        this.current = undefined
        // what a cut job leaves behind is gone before its cell goes on
        if (this.dead) void this.gone.then(() => resolve(jobEnd))
        else resolve(jobEnd)
      }
      this.current = { id, end }
      signal.addEventListener('abort', onAbort, { once: true })
      this.child.stdin?.write(`${JSON.stringify({ ...job, id })}\n`, () => {
        clearTimeout(timer)
        if (this.current?.id === id) timer = setTimeout(() => cut('deadline'), deadlineMs)
      })
      if (signal.aborted) onAbort()
    })
  }

  private take(text: string): void {
    this.line += text
    if (this.line.length > LONGEST_LINE) this.kill()
    const lines = this.line.split('\n')
    this.line = lines.pop() ?? ''
    for (const line of lines) this.answer(line)
  }

  private answer(line: string): void {
    const message = parse(line)
    if (message.ready === true) this.becomeReady()
    const answer = message.answer
    const { current } = this
    if (current === undefined || message.id !== current.id || typeof answer !== 'object' || answer === null) return
    if (message.retire === true) this.kill()
    // What it wrote to standard error before is there too, and is read in the same turn of the loop.
    setImmediate(() => current.end({ how: 'answer', answer: { ...answer }, log: this.stderr.log() }))
  }
}

/** A line that is no JSON object gives an empty one: a library may write to standard output too. */
function parse(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
