/**
 * The contests: the same load on each contestant in turn, round after round (A B C, C B A, …), so that what the machine
 * does besides falls on all of them alike.
 */
import { Children, type Contestant, type OtherProxy } from './children.ts'
import type { Load, SessionKind } from './messages.ts'
import { type Goal, pairedRatio, type Spread, spread } from './statistics.ts'

/** One line of the result. */
export interface Comparison {
  readonly name: string
  /** What the ratio is of. */
  readonly unit:
    | 'CPU per session'
    | 'CPU time'
    | 'throughput'
    | 'queries per second'
    | 'cells per second'
    | 'octets per connection'
    | 'wall time'
  /** Absent for a figure that is compared with nothing. */
  readonly base?: string
  readonly by: 'ratio' | 'difference'
  /** Against the base, round by round. Undefined where this system does not tell, or the program is not installed. */
  readonly against?: Spread
  /** Microseconds of CPU per session, MB/s, octets, numbers per second, or milliseconds, of its own. */
  readonly own?: Spread
  readonly goal?: Goal
}

/** Rounds that count; the one before them warms up and does not. */
const ROUNDS = 11

/** Of a round: so few that the rounds of a pair lie close together in time, so many that ticks of 10 ms do not matter. */
const SESSIONS: Readonly<Record<SessionKind, number>> = { plain: 250, starttls: 120, 'starttls-old': 120, bulk: 1 }
/** Before the first round, so that what is measured is compiled code. */
const WARM_UP: Readonly<Record<SessionKind, number>> = { plain: 1000, starttls: 300, 'starttls-old': 300, bulk: 1 }
const OCTETS: Readonly<Record<SessionKind, number>> = {
  plain: 1024,
  starttls: 1024,
  'starttls-old': 1024,
  bulk: 64 * 1024 * 1024,
}
const AT_ONCE = 8

type Perform = (load: Load) => Promise<number>

/** What one contestant needed for each round. */
interface Figures {
  /** Microseconds of CPU per session; fewer than rounds where the system does not tell. */
  readonly cpuUs: number[]
  readonly megabytesPerSecond: number[]
}

type Contest = (children: Children, perform: Perform, tell: (line: string) => void) => Promise<Comparison[]>

/** Runs a contest. Rejects when the benchmark itself fails, or `signal` says so. */
function held(contest: Contest) {
  return async (signal: AbortSignal, tell: (line: string) => void): Promise<Comparison[]> => {
    const children = new Children(signal)
    try {
      return await contest(children, await children.load(), tell)
    } finally {
      await children.end()
    }
  }
}

/** What a session with a peer costs. */
export const peers = held(async (children, perform, tell) => {
  const contestants = new Map<string, Contestant>([
    ['smtp-server', await children.subject('smtp-server')],
    ['peer', await children.subject('peer')],
    ['peer, hide-starttls', await children.subject('peer-hide-starttls')],
  ])
  const comparisons: Comparison[] = []
  for (const [kind, words, goal] of [
    ['plain', 'plain session', 1.25],
    ['starttls', 'STARTTLS session', 1.1],
  ] as const) {
    tell(`peers: ${words}`)
    const figures = await rounds(contestants, kind, perform)
    const base = figures.get('smtp-server')?.cpuUs ?? []
    for (const [name, { cpuUs }] of figures) {
      if (name !== 'smtp-server')
        comparisons.push({
          name: `${name}: ${words}`,
          base: 'smtp-server',
          goal: { atMost: goal },
          ...inCpu(cpuUs, base),
        })
    }
  }
  return comparisons
})

/** The legacy TLS engine against Node's: the same session, RSA of 2048 bits and AES128-SHA at TLS 1.2. */
export const engines = held(async (children, perform, tell) => {
  tell('TLS engines: STARTTLS session')
  const contestants = new Map<string, Contestant>([
    ['node', await children.subject('peer-node-rsa')],
    ['legacy', await children.subject('peer-legacy')],
  ])
  const figures = await rounds(contestants, 'starttls-old', perform)
  const [legacy, node] = [figures.get('legacy')?.cpuUs ?? [], figures.get('node')?.cpuUs ?? []]
  const name = 'legacy engine: STARTTLS session, RSA-2048, AES128-SHA'
  return [{ name, base: "Node's engine", goal: { atMost: 1.5 }, ...inCpu(legacy, node) }]
})

/** What a session through a proxy costs. */
export const proxies = held(async (children, perform, tell) => {
  const sink = await children.subject('sink')
  const contestants = new Map<string, Contestant>([
    ['pipe', await children.subject('pipe', sink.port)],
    ['proxy', await children.subject('proxy', sink.port)],
  ])
  const others: readonly OtherProxy[] = ['haproxy', 'socat']
  for (const name of others) {
    const contestant = await children.other(name, sink.port)
    if (contestant === undefined) tell(`proxies: ${name} is not installed and is left out`)
    else contestants.set(name, contestant)
  }
  tell('proxies: plain session')
  const sessions = await rounds(contestants, 'plain', perform)
  tell('proxies: bulk')
  const bulk = await rounds(contestants, 'bulk', perform)
  const comparisons: Comparison[] = []
  for (const [name, { cpuUs }] of sessions) {
    if (name === 'pipe') continue
    comparisons.push({
      name: `${name}: plain session`,
      base: 'Node pipe',
      ...(name === 'proxy' ? { goal: { atMost: 1.1 } } : {}),
      ...inCpu(cpuUs, sessions.get('pipe')?.cpuUs ?? []),
    })
  }
  const base = bulk.get('pipe')?.megabytesPerSecond ?? []
  for (const [name, { megabytesPerSecond }] of bulk) {
    if (name === 'pipe') continue
    comparisons.push({
      name: `${name}: 64 MB message`,
      unit: 'throughput',
      base: 'Node pipe',
      by: 'ratio',
      ...(name === 'proxy' ? { goal: { atLeast: 0.9 } } : {}),
      against: pairedRatio(megabytesPerSecond, base),
      own: spread(megabytesPerSecond),
    })
  }
  return comparisons
})

function inCpu(
  figures: readonly number[],
  base: readonly number[],
): Pick<Comparison, 'unit' | 'by' | 'against' | 'own'> {
  const what = { unit: 'CPU per session', by: 'ratio' } as const
  return figures.length === 0 || base.length === 0
    ? what
    : { ...what, against: pairedRatio(figures, base), own: spread(figures) }
}

async function rounds(
  contestants: ReadonlyMap<string, Contestant>,
  kind: SessionKind,
  perform: Perform,
): Promise<Map<string, Figures>> {
  const figures = new Map<string, Figures>(
    [...contestants.keys()].map((name) => [name, { cpuUs: [], megabytesPerSecond: [] }]),
  )
  for (let round = 0; round <= ROUNDS; round++) {
    const order = round % 2 === 0 ? [...contestants] : [...contestants].reverse()
    for (const [name, contestant] of order) {
      const sessions = (round === 0 ? WARM_UP : SESSIONS)[kind]
      await contestant.begin()
      const wallMs = await perform({
        port: contestant.port,
        kind,
        sessions,
        atOnce: Math.min(AT_ONCE, sessions),
        octets: OCTETS[kind],
      })
      const cpuUs = await contestant.end()
      if (round === 0) continue
      const own = figures.get(name)
      if (cpuUs !== undefined) own?.cpuUs.push(cpuUs / sessions)
      own?.megabytesPerSecond.push((sessions * OCTETS[kind]) / 1e3 / wallMs)
    }
  }
  return figures
}
