/**
 * For the end-to-end tests: the command line as a process of its own, in a folder of the test, with an environment that
 * has nothing of the machine but PATH. Temporary files of the process go into the test's folder too, so that a test can see
 * whether any are left.
 *
 * What always holds: no process outlives its test, and none runs longer than {@link DEADLINE_MS}.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from '../lab/cache.ts'

/** Milliseconds after which a process is killed, and its test fails. */
const DEADLINE_MS = 120_000

/** The part of tap that is used here. */
export interface Test {
  teardown(what: () => Promise<void> | void): void
}

export interface Ended {
  /** null where a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export class Program {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''
  private over = false
  private readonly watchers = new Set<() => void>()

  constructor(
    t: Test,
    argv: readonly string[],
    cwd: string,
    env: Readonly<Record<string, string>>,
    stdin: 'pipe' | 'ignore' = 'ignore',
  ) {
    this.child = spawn(argv[0] ?? '', argv.slice(1), { cwd, env, stdio: [stdin, 'pipe', 'pipe'] })
    const timer = setTimeout(() => this.child.kill('SIGKILL'), DEADLINE_MS)
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      for (const watch of this.watchers) watch()
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      for (const watch of this.watchers) watch()
    })
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject)
      this.child.once('close', (code, signal) => {
        clearTimeout(timer)
        this.over = true
        for (const watch of this.watchers) watch()
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr })
      })
    })
    t.teardown(async () => {
      this.child.kill('SIGKILL')
      await this.ended
    })
  }

  /** To its standard input. */
  say(text: string): void {
    this.child.stdin?.write(text)
  }

  /** Resolves when `look` gives something; rejects when the process ends before. */
  until<Found>(look: (program: Program) => Found | null | undefined | false): Promise<Found> {
    return new Promise((resolve, reject) => {
      const watch = (): void => {
        const found = look(this)
        if (found !== null && found !== undefined && found !== false) {
          this.watchers.delete(watch)
          resolve(found)
        } else if (this.over)
          reject(new Error(`ended before it said what was waited for: ${this.stdout}${this.stderr}`))
      }
      this.watchers.add(watch)
      watch()
    })
  }
}

const MAIN = new URL('../main.js', import.meta.url).href

/** Starts `badmx WORDS` in `cwd`; the cache of the lab is the machine's own. */
export function startBadmx(t: Test, cwd: string, ...words: readonly string[]): Program {
  return node(t, cwd, `import { start } from ${JSON.stringify(MAIN)}; await start()`, words)
}

function node(t: Test, cwd: string, code: string, words: readonly string[]): Program {
  const temporary = join(cwd, 'tmp')
  mkdirSync(temporary, { recursive: true })
  const env = {
    ...{ PATH: process.env['PATH'] ?? '', HOME: cwd, TMPDIR: temporary, LANG: 'C' },
    BADMX_CACHE: join(cacheFolder(), '..'),
  }
  return new Program(
    t,
    [process.execPath, '--input-type=module', '-e', code, '--', 'badmx', ...words],
    cwd,
    env,
    'pipe',
  )
}

/** Runs `badmx WORDS` in `cwd` to its end. */
export function badmx(t: Test, cwd: string, ...words: readonly string[]): Promise<Ended> {
  return startBadmx(t, cwd, ...words).ended
}

/**
 * Runs several command lines one after the other in one process (a start takes most of a second), each with what it wrote
 * and its exit code. For commands that start nothing which would go on after them.
 */
export async function badmxEach(
  t: Test,
  cwd: string,
  lines: readonly (readonly string[])[],
): Promise<readonly Ended[]> {
  const { stdout } = await node(t, cwd, BATCH, [JSON.stringify(lines)]).ended
  return JSON.parse(stdout) as Ended[]
}

const BATCH = `
import { main } from ${JSON.stringify(MAIN)}
const print = process.stdout.write.bind(process.stdout)
const results = []
for (const words of JSON.parse(process.argv[2])) {
  const said = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr']) process[stream].write = (text) => ((said[stream] += text), true)
  const code = await main(words)
  results.push({ code, signal: null, ...said })
}
print(JSON.stringify(results))`
