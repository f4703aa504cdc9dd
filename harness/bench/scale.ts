/**
 * What grows with the number of things: memory with idle connections, the wall time of a suite with its cells. And what
 * everybody waits for: the first banner from the command line.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../peers/package-root.ts'
import { Children, freePort } from './children.ts'
import type { Comparison } from './contest.ts'
import { pairedDifference, pairedRatio, spread } from './statistics.ts'

type Tell = (line: string) => void

const CONNECTIONS = 10_000
/** Sockets in TIME_WAIT with which the suite is run once more: each holds a port of the ephemeral range. */
const IN_TIME_WAIT = 15_000
/** A round is a fresh process: the memory of one that has had connections tells nothing of the next. */
const ROUNDS = 3
const STARTS = 11
/** Node reads these certificates at every start, where they are named: then `node -e 0` is slower than a start of anything. */
const { NODE_EXTRA_CA_CERTS: _, ...ENVIRONMENT } = process.env

/** Memory of idle connections. */
export async function idle(signal: AbortSignal, tell: Tell): Promise<Comparison[]> {
  tell(`${CONNECTIONS} idle connections`)
  const names = ['sink', 'smtp-server', 'peer-unlogged'] as const
  const octets = new Map<string, number[]>(names.map((name) => [name, []]))
  for (let round = 0; round < ROUNDS; round++)
    for (const name of names) octets.get(name)?.push(await perConnection(name, signal))
  const bare = octets.get('sink') ?? []
  return names.slice(1).map((name) => {
    const figures = octets.get(name) ?? []
    return {
      name: `${name === 'peer-unlogged' ? 'peer' : name}: idle connection`,
      unit: 'octets per connection' as const,
      base: 'Node socket',
      by: 'difference' as const,
      against: pairedDifference(figures, bare),
      own: spread(figures),
      ...(name === 'peer-unlogged' ? { goal: { atMost: 4096 } } : {}),
    }
  })
}

async function perConnection(name: 'sink' | 'smtp-server' | 'peer-unlogged', signal: AbortSignal): Promise<number> {
  const children = new Children(signal)
  try {
    const subject = await children.subject(name)
    const load = await children.load()
    // what the first connections load and compile is not theirs
    await load({ port: subject.port, hold: 100 })
    const before = await subject.memory()
    await load({ port: subject.port, hold: 100 + CONNECTIONS })
    return ((await subject.memory()) - before) / CONNECTIONS
  } finally {
    await children.end()
  }
}

/** Wall time of a suite, with and without sockets in TIME_WAIT. */
export async function suites(signal: AbortSignal, tell: Tell): Promise<Comparison[]> {
  const comparisons: Comparison[] = []
  for (const crowded of [false, true])
    for (const [cells, goal] of [
      [300, 1.1],
      [1000, 1.2],
    ] as const) {
      const words = `suite of ${cells}${crowded ? `, ${IN_TIME_WAIT} in TIME_WAIT` : ''}`
      tell(words)
      const wall: number[] = []
      const critical: number[] = []
      const cpu: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const children = new Children(signal)
        try {
          if (crowded) await crowd(children)
          const report = await children.suite(cells)
          wall.push(report.wallMs)
          critical.push(report.criticalMs)
          cpu.push(report.cpuMs)
        } finally {
          await children.end()
        }
      }
      const common = { name: words, unit: 'wall time' as const, by: 'ratio' as const, own: spread(wall) }
      comparisons.push({
        ...common,
        base: 'slowest cell alone',
        against: pairedRatio(wall, critical),
        goal: { atMost: goal },
      })
      comparisons.push({ ...common, base: 'its CPU time', against: pairedRatio(wall, cpu) })
    }
  return comparisons
}

/** Leaves sockets in TIME_WAIT: the side that closes first keeps its port so (RFC 9293 section 3.6.1). */
async function crowd(children: Children): Promise<void> {
  const { port } = await children.subject('sink')
  const load = await children.load()
  const batch = IN_TIME_WAIT / 3
  for (let made = 0; made < IN_TIME_WAIT; made += batch) {
    await load({ port, hold: batch })
    await load({ port, hold: 0 })
  }
}

/** The first banner from the command line. */
export async function start(signal: AbortSignal, tell: Tell): Promise<Comparison[]> {
  tell('first banner')
  const folder = await mkdtemp(join(tmpdir(), 'badmx-bench-'))
  const bare: number[] = []
  const banner: number[] = []
  try {
    for (let round = 0; round <= STARTS; round++) {
      const node = await timeOf(['-e', '0'], signal)
      const ours = await bannerTime(join(folder, String(round)), signal)
      if (round === 0) continue
      bare.push(node)
      banner.push(ours)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return [
    {
      name: 'badmx serve --persona: first banner',
      unit: 'wall time',
      base: 'node -e 0',
      by: 'ratio',
      against: pairedRatio(banner, bare),
      own: spread(banner),
      goal: { atMost: 2.5 },
    },
  ]
}

/** Milliseconds from start to end of a Node program. */
async function timeOf(words: readonly string[], signal: AbortSignal): Promise<number> {
  const began = performance.now()
  await once(spawn(process.execPath, words, { env: ENVIRONMENT, stdio: 'ignore', signal }), 'exit')
  return performance.now() - began
}

/** Milliseconds from the start of `badmx serve --persona` to the first octet of its banner. */
async function bannerTime(out: string, signal: AbortSignal): Promise<number> {
  const port = await freePort()
  const words = ['serve', '--persona', 'sound', '--listen', `127.0.0.1:${port}`, '--out', out]
  const began = performance.now()
  const child = spawn(process.execPath, [join(packageRoot(), 'harness/badmx.mjs'), ...words], {
    env: ENVIRONMENT,
    stdio: ['pipe', 'pipe', 'ignore'],
    signal,
  })
  await once(child.stdout, 'data')
  const socket = connect({ port, host: '127.0.0.1' })
  await once(socket, 'data')
  const time = performance.now() - began
  socket.destroy()
  child.kill('SIGINT')
  await once(child, 'exit')
  return time
}
