/**
 * The processes of a benchmark: servers under test, the load generator, other people's proxies.
 *
 * What always holds: each ends with {@link Children.end}, and those of ours also when this process goes away, for they
 * live no longer than their channel to it.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Hold, Load, LoadReport, ServerOrder, ServerReport } from './messages.ts'
import { cpuOfProcess } from './process-cpu.ts'
import type { SubjectName } from './subjects.ts'
import type { SuiteReport } from './suite-process.ts'

/** A server under test. */
export interface Contestant {
  readonly port: number
  begin(): Promise<void>
  /** Microseconds of CPU since `begin`; undefined where this system does not tell. */
  end(): Promise<number | undefined>
}

/** One of ours, which also tells its memory. */
export interface Subject extends Contestant {
  /** Octets of its resident set. */
  memory(): Promise<number>
}

/** Proxies that are reported beside ours where they are installed. */
export type OtherProxy = 'haproxy' | 'socat'

/** Milliseconds after which a process that has not answered will not. */
const PATIENCE = 180_000

export class Children {
  private readonly running = new Set<ChildProcess>()
  private readonly folders: string[] = []
  private readonly signal: AbortSignal

  constructor(signal: AbortSignal) {
    this.signal = signal
  }

  /** One of ours. `target` is the port behind a proxy. */
  async subject(name: SubjectName, target = 0): Promise<Subject> {
    const child = this.fork('./subject-process.js', [name, String(target)])
    const ask = async (order: ServerOrder['order']): Promise<ServerReport> => {
      child.send({ order })
      return this.hear<ServerReport>(child)
    }
    const started = await this.hear<ServerReport>(child)
    return {
      port: started.report === 'listening' ? started.port : 0,
      begin: async () => void (await ask('begin')),
      end: async () => {
        const report = await ask('end')
        return report.report === 'ended' ? report.cpuUs : undefined
      },
      memory: async () => {
        const report = await ask('memory')
        return report.report === 'memory' ? report.octets : 0
      },
    }
  }

  /** A function that performs a load, or holds connections, and resolves with its wall time in milliseconds. */
  async load(): Promise<(load: Load | Hold) => Promise<number>> {
    const child = this.fork('./load-process.js', [])
    await this.hear<LoadReport>(child)
    return async (load) => {
      child.send(load)
      const report = await this.hear<LoadReport>(child)
      if (report.report === 'done') return report.wallMs
      throw new Error(
        `the load on port ${load.port} failed: ${report.report === 'failed' ? report.reason : report.report}`,
      )
    }
  }

  /** Runs a suite of so many cells; resolves with its wall time and that of its slowest cells alone, in milliseconds. */
  async suite(cells: number): Promise<SuiteReport> {
    const child = this.fork('./suite-process.js', [String(cells)])
    const report = await this.hear<SuiteReport>(child)
    await once(child, 'exit')
    return report
  }

  /** Undefined where it is not installed. */
  async other(name: OtherProxy, target: number): Promise<Contestant | undefined> {
    const port = await freePort()
    const child = spawn(
      name,
      name === 'haproxy' ? ['-db', '-f', await this.haproxyFile(port, target)] : socatArguments(port, target),
      {
        stdio: 'ignore',
      },
    )
    try {
      await once(child, 'spawn')
    } catch {
      return undefined
    }
    this.running.add(child)
    child.once('exit', () => this.running.delete(child))
    await answers(port)
    let before: number | undefined
    return {
      port,
      begin: async () => {
        before = await cpuOfProcess(child.pid ?? 0)
      },
      end: async () => {
        const after = await cpuOfProcess(child.pid ?? 0)
        return before === undefined || after === undefined ? undefined : after - before
      },
    }
  }

  /** Ends them all. */
  async end(): Promise<void> {
    const exits = [...this.running].map((child) => {
      child.kill('SIGKILL')
      return once(child, 'exit')
    })
    await Promise.all(exits)
    for (const folder of this.folders) await rm(folder, { recursive: true, force: true })
  }

  private fork(script: string, words: readonly string[]): ChildProcess {
    const child = fork(fileURLToPath(new URL(script, import.meta.url)), [...words], {
      stdio: ['ignore', 2, 2, 'ipc'],
      execArgv: ['--expose-gc'],
    })
    this.running.add(child)
    child.once('exit', () => this.running.delete(child))
    return child
  }

  /** The next message of a process of ours. Rejects when it ends instead, says nothing, or the benchmark is interrupted. */
  private async hear<Report>(child: ChildProcess): Promise<Report> {
    const heard = new AbortController()
    const signal = AbortSignal.any([heard.signal, this.signal, AbortSignal.timeout(PATIENCE)])
    try {
      const [message] = await Promise.race([
        once(child, 'message', { signal }),
        once(child, 'exit', { signal }).then(() => Promise.reject(new Error('a process of the benchmark has ended'))),
      ])
      return message as Report
    } finally {
      heard.abort()
    }
  }

  private async haproxyFile(port: number, target: number): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'badmx-bench-'))
    this.folders.push(folder)
    const file = join(folder, 'haproxy.cfg')
    const lines = [
      'global',
      '  nbthread 1',
      'defaults',
      '  mode tcp',
      '  timeout connect 10s',
      '  timeout client 60s',
      '  timeout server 60s',
      'listen bench',
      `  bind 127.0.0.1:${port}`,
      `  server sink 127.0.0.1:${target}`,
    ]
    await writeFile(file, `${lines.join('\n')}\n`)
    return file
  }
}

function socatArguments(port: number, target: number): string[] {
  return [
    '-b',
    '65536',
    `TCP4-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork,backlog=1024,nodelay`,
    `TCP4:127.0.0.1:${target},nodelay`,
  ]
}

/** A port that was free a moment ago, for programs that cannot say which one the system gave them. */
export async function freePort(): Promise<number> {
  const server = createServer().listen({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Resolves when something accepts connections there. @throws when nothing does for five seconds. */
async function answers(port: number): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const socket = connect({ port, host: '127.0.0.1' })
    try {
      await once(socket, 'connect')
      return
    } catch (error) {
      if (tries === 100) throw error
      await delay(50)
    } finally {
      socket.destroy()
    }
  }
}
