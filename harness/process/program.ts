/**
 * Runs one program to its end: without a shell, in a process group of its own, with bounded output and a deadline. Who has a
 * run under way asks the starter for it (`starter.ts`); here it is done.
 *
 * What always holds: when the promise settles nothing of the group is left running; at most 64 KiB of each output are
 * kept, the oldest octets dropped; nothing that the program does rejects the promise. Only a program that cannot be
 * started at all does ({@link LabError}): that is the machine's trouble, not the client's.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { unwatchGroup, watchGroup } from './guard.ts'

/** What is kept of an output, in octets. */
export const KEPT_OUTPUT = 64 * 1024

/** The environment cannot do what was asked; never a client's fault. */
export class LabError extends Error {
  override readonly name = 'LabError'
  readonly code: 'client-missing' | 'client-start'
  /** The next step for the person who reads it. */
  readonly next: string

  constructor(code: LabError['code'], message: string, next: string) {
    super(message)
    this.code = code
    this.next = next
  }
}

export interface ProgramJob {
  /** The program and its arguments; looked up in PATH of `env` where it has no slash. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Given on standard input, which is empty without it. */
  readonly input?: Buffer
  readonly cwd: string
  /** Milliseconds from the start after which the group is killed. */
  readonly deadlineMs: number
}

export interface ProgramResult {
  readonly ended: 'exit' | 'signal' | 'deadline' | 'aborted'
  /** With `exit`. */
  readonly exitCode?: number
  /** With `signal`: `SIGSEGV`. */
  readonly signalName?: string
  /** Octets as UTF-8 text, the last {@link KEPT_OUTPUT} of them. */
  readonly stdout: string
  readonly stderr: string
  /** The lines of both, in the order in which they came. */
  readonly log: readonly HeardLine[]
}

/** A line of output without its line end, and when the whole of it had been read: `performance.now()` of who asked for it. */
export interface HeardLine {
  readonly line: string
  readonly at: number
}

/** Octets of each output that a log keeps, the oldest dropped first. */
const KEPT_LOG = 32 * 1024

/** The last octets of a stream, and when they came. */
export class Tail {
  private chunks: Buffer[] = []
  /** When each chunk came. */
  private times: number[] = []
  private size = 0

  add(chunk: Buffer): void {
    this.chunks.push(chunk.length > KEPT_OUTPUT ? Buffer.from(chunk.subarray(-KEPT_OUTPUT)) : chunk)
    this.times.push(performance.now())
    this.size += this.chunks.at(-1)?.length ?? 0
    while (this.size - (this.chunks[0]?.length ?? 0) >= KEPT_OUTPUT) {
      this.size -= this.chunks.shift()?.length ?? 0
      this.times.shift()
    }
  }

  text(): string {
    return Buffer.concat(this.chunks).subarray(-KEPT_OUTPUT).toString('utf8')
  }

  /** The lines of the last 32 KiB. */
  log(): HeardLine[] {
    const all = Buffer.concat(this.chunks)
    const lines: HeardLine[] = []
    let chunk = 0
    /** Where in `all` the chunk ends. */
    let end = this.chunks[0]?.length ?? 0
    for (let from = Math.max(0, all.length - KEPT_LOG); from < all.length; ) {
      const found = all.indexOf(0x0a, from)
      const to = found === -1 ? all.length : found
      while (end <= Math.min(to, all.length - 1)) {
        chunk += 1
        end += this.chunks[chunk]?.length ?? 0
      }
      const line = all.toString('utf8', from, to).replace(/\r$/, '')
      lines.push({ line, at: this.times[chunk] ?? 0 })
      from = to + 1
    }
    return lines
  }

  clear(): void {
    this.chunks = []
    this.times = []
    this.size = 0
  }
}

/** Groups that run now, so that none outlives this process. */
const groups = new Set<number>()
let watching = false

/**
 * Starts `argv` in a group of its own, which {@link killGroup} ends. Throws {@link LabError} where the program is not
 * there; a failure that shows only later comes as the child's `error` event.
 */
export function spawnGroup(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
  stdin: 'pipe' | 'ignore',
): ChildProcess {
  const program = argv[0] ?? ''
  const file = findProgram(program, env.PATH ?? '', cwd)
  if (file === undefined) throw new LabError('client-missing', `no program "${program}" in PATH`, `install ${program}`)
  const child = spawn(file, argv.slice(1), { env, cwd, detached: true, stdio: [stdin, 'pipe', 'pipe'], argv0: program })
  if (child.pid !== undefined) {
    groups.add(child.pid)
    watchGroup(child.pid)
  }
  if (!watching) process.on('exit', () => groups.forEach(killPid))
  watching = true
  return child
}

/** Kills the child and everything in its group; harmless when nothing is left. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  killPid(child.pid)
  if (groups.delete(child.pid)) unwatchGroup(child.pid)
}

function killPid(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // ESRCH: the whole group has ended already
  }
}

/** The executable file that `program` names, looked up in `path` (a PATH) where it has no slash. */
export function findProgram(program: string, path: string, cwd: string): string | undefined {
  const candidates = program.includes('/')
    ? [resolve(cwd, program)]
    : path.split(delimiter).map((folder) => join(folder === '' ? cwd : folder, program))
  return program === '' ? undefined : candidates.find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

/**
 * Runs a program; see the head of this file.
 *
 * @param signal kills the group at once
 * @throws {LabError} where it is not there or cannot be executed
 */
export async function programToEnd(job: ProgramJob, signal: AbortSignal): Promise<ProgramResult> {
  if (signal.aborted) return { ended: 'aborted', stdout: '', stderr: '', log: [] }
  const child = spawnGroup(job.argv, job.env, job.cwd, job.input === undefined ? 'ignore' : 'pipe')
  const stdout = new Tail()
  const stderr = new Tail()
  child.stdout?.on('data', (chunk: Buffer) => stdout.add(chunk))
  child.stderr?.on('data', (chunk: Buffer) => stderr.add(chunk))
  // EPIPE: the program did not read its input to the end, which is its own affair
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(job.input)
  let cut: 'deadline' | 'aborted' | undefined
  const cutBy = (why: 'deadline' | 'aborted') => {
    cut ??= why
    killGroup(child)
  }
  const onAbort = () => cutBy('aborted')
  const timer = setTimeout(() => cutBy('deadline'), job.deadlineMs)
  signal.addEventListener('abort', onAbort, { once: true })
  // once it has exited by itself, waiting for the rest of its output is no hang
  child.once('exit', () => clearTimeout(timer))
  try {
    const end = await ended(child)
    const how =
      cut !== undefined
        ? { ended: cut }
        : end.signal === null
          ? { ended: 'exit' as const, exitCode: end.code ?? 0 }
          : { ended: 'signal' as const, signalName: end.signal }
    const log = [...stdout.log(), ...stderr.log()].sort((a, b) => a.at - b.at)
    return { ...how, stdout: stdout.text(), stderr: stderr.text(), log }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** After the child's death a grandchild outside the group may hold its outputs open: they are given up after this. */
const OUTPUT_GRACE_MS = 500

/** Resolves when the child is dead, its group killed and its output read. */
export function ended(child: ChildProcess): Promise<End> {
  return new Promise((resolveEnd, reject) => {
    child.once('error', (error) => {
      killGroup(child)
      reject(new LabError('client-start', `cannot start ${child.spawnargs[0]}: ${error.message}`, 'run it by hand'))
    })
    child.once('exit', (code, signal) => {
      killGroup(child)
      const grace = setTimeout(() => {
        child.stdout?.destroy()
        child.stderr?.destroy()
      }, OUTPUT_GRACE_MS)
      child.once('close', () => {
        clearTimeout(grace)
        resolveEnd({ code, signal })
      })
    })
  })
}
