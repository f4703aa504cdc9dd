/**
 * Runs one command of our own to its end and gives all of its output. Unlike a client under test it may leave something
 * behind: a daemon is what some are run for.
 */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

export interface CommandJob {
  /** The program, looked up in our own PATH where it has no slash, and its arguments. */
  readonly argv: readonly string[]
  /** The whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly input?: string | Buffer
  /** Milliseconds after which it is killed, with all of its process group. */
  readonly timeoutMs?: number
}

export interface CommandResult {
  /** 128 + the signal's number where one ended it: 139 is SIGSEGV, 137 (SIGKILL) also that it took too long. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Octets of its outputs; a command that writes more than that is at fault, and killed. */
const MOST_OUTPUT = 64 * 2 ** 20

/**
 * Runs a command; see the head of this file.
 *
 * @param signal kills its process group
 * @throws {Error} where it cannot be started
 */
export function commandToEnd(
  { argv, env, cwd, input, timeoutMs }: CommandJob,
  signal: AbortSignal,
): Promise<CommandResult> {
  const [program = '', ...words] = argv
  const child = spawn(program, words, { cwd, env, detached: true })
  const kept: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }
  let size = 0
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > MOST_OUTPUT) kill()
      else kept[name].push(chunk)
    })
  // EPIPE: it did not read its input to the end, which is its own affair
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // ESRCH: it has ended by itself
    }
  }
  const timer = timeoutMs === undefined ? undefined : setTimeout(kill, timeoutMs)
  signal.addEventListener('abort', kill, { once: true })
  if (signal.aborted) kill()
  return new Promise<CommandResult>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, name) => {
      // A daemon that it left may hold the outputs open for ever. What the program wrote itself is in the pipe by now, and
      // a turn of the event loop reads it.
      setImmediate(() =>
        setImmediate(() => {
          child.stdout.destroy()
          child.stderr.destroy()
        }),
      )
      child.once('close', () => {
        const text = (name: 'stdout' | 'stderr') => Buffer.concat(kept[name]).toString('utf8')
        resolve({
          code: code ?? 128 + (constants.signals[name ?? 'SIGKILL'] ?? 0),
          stdout: text('stdout'),
          stderr: text('stderr'),
        })
      })
    })
  }).finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', kill)
  })
}
