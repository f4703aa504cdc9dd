/** For the tests of the driver: programs that are other people's SMTP and TLS clients. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { packageRoot } from '../package-root.ts'

/** Why a test with this program cannot run; undefined where it can. */
export function missing(program: string): string | undefined {
  const { error } = spawnSync(program, ['--version'], { stdio: 'ignore' })
  return error === undefined ? undefined : `${program} is not installed`
}

/** A Node.js program of another time (harness/check/old-nodes.mjs), or why there is none. */
export function oldNode(name: 'node-0.12' | 'node-8' | 'node-24'): {
  readonly path: string
  readonly missing: string | undefined
} {
  const path = join(packageRoot(), 'node_modules', '.cache', 'old-nodes', 'node_modules', name, 'bin', 'node')
  return {
    path,
    missing: existsSync(path) ? undefined : `${name} of npm is not installed (npm test does it, on Linux)`,
  }
}

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Milliseconds after which a program is killed. */
const DEADLINE_MS = 15_000

/** Runs a program to its end, or until its output has `until` and `input` has been taken; octets as latin1. */
export async function run(
  program: string,
  args: readonly string[],
  input = '',
  until?: string,
  deadlineMs = DEADLINE_MS,
): Promise<Ran> {
  const child = spawn(program, args, { stdio: 'pipe', timeout: deadlineMs })
  let stdout = ''
  let stderr = ''
  child.stdin.on('error', () => {})
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('latin1')
    if (until !== undefined && stdout.includes(until)) child.stdin.end()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('latin1')
  })
  if (until === undefined) child.stdin.end(input)
  else child.stdin.write(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

export interface Worker {
  /** One line to its standard input; resolves with the next line of its output. One at a time. */
  ask(line: string): Promise<string>
  close(): void
}

/** A program that stays, for those that take long to start. */
export function worker(program: string, args: readonly string[]): Worker {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  let turn: Promise<string> = Promise.resolve('')
  const ask = async (line: string): Promise<string> => {
    child.stdin.write(`${line}\n`)
    const { value, done } = await answers.next()
    if (done === true) throw new Error(`${program} has ended`)
    return String(value)
  }
  return {
    ask(line) {
      turn = turn.then(() => ask(line))
      return turn
    },
    close: () => void child.kill(),
  }
}
