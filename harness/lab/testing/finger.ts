/**
 * For the tests: Postfix's `posttls-finger` against the DANE scenarios, as a second witness of their TLSA records. It looks
 * up, connects, starts TLS and says what it thinks of the peer; beside it stands what the embedded resolver answers, and
 * what badmx's own check makes of the chain that left.
 */
import { rcodeText } from '../../../peers/dns/numbers.ts'
import type { PeerEvent } from '../../../peers/events.ts'
import type { ClientStage, Delivery, RunningClient } from '../../../scenarios/client.ts'
import type { CellBegun, LogEvent } from '../../../scenarios/events.ts'
import { readConnections } from '../../../scenarios/judge/connection.ts'
import { credentialOf, tlsaToUse } from '../../../scenarios/judge/credential.ts'
import { readLog } from '../../../scenarios/judge/log.ts'
import type { Policy } from '../../../scenarios/policy.ts'
import { allScenarios } from '../../catalogue.ts'
import { everyPolicy } from '../../clients/environment.ts'
import { readText } from '../../read-text.ts'
import { run } from '../../run.ts'
import type { Layer } from '../layer.ts'
import { LAB_NETWORK } from '../network.ts'
import { type ClientRoot, openRoot } from '../root.ts'

/** What the two say of one cell. */
export interface Witnessed {
  /** `dns/dane-mismatch/dane`. */
  readonly cell: string
  /** The lines of posttls-finger. */
  readonly said: readonly string[]
  /** The embedded resolver about the TLSA records of each host, a line each: `_25._tcp.mx.example.test NOERROR AD`. */
  readonly resolver: readonly string[]
  /** badmx about each connection of posttls-finger on which TLS came up, in order of opening. */
  readonly own: readonly OwnWord[]
}

export interface OwnWord {
  /** Where the peer listens. */
  readonly address: string
  /** Whether TLSA records count for the host (RFC 7672 §2.2). */
  readonly byTlsa: boolean
  readonly kind: 'clear' | 'unauthenticated' | 'verified'
  readonly reason: string
}

const ID = 'posttls-finger'

/** Runs the scenarios under the policies, and gives both witnesses' words. */
export async function fingered(
  layer: Layer,
  policies: readonly Policy[],
  only: readonly string[],
): Promise<Witnessed[]> {
  const resolver = new Map<string, string[]>()
  const done = await run({
    scenarios: await allScenarios(),
    clients: [
      {
        ...{ id: ID, name: ID, kind: 'queue', passwords: false, namesPeers: true, inLab: true },
        policies: everyPolicy((policy) =>
          policy === 'dane' || policy === 'dane-only' ? { options: `-l ${policy}` } : { unsupported: 'of no interest' },
        ),
        documented: { policy: 'dane', source: 'posttls-finger(1), -l' },
        probe: async () => ({ found: true, version: layer.version }),
        start: (stage) => start(layer, stage, resolver),
      },
    ],
    ...{ policies, only, seed: 1, timeScale: 100, jobs: 16, repeat: 1, known: [], gate: {}, capture: false, out: 'r' },
    signal: new AbortController().signal,
    progress: () => {},
  })
  const events = [...readLog(await readText(`${done.folder}/events.ndjson`), 'events.ndjson')]
  return events.flatMap((event) =>
    event.type === 'cell' && event.client === ID && event.role === 'scenario'
      ? [
          witnessed(
            event,
            events.filter((other) => 'cell' in other && other.cell === event.cell),
            resolver,
          ),
        ]
      : [],
  )
}

async function start(
  layer: Layer,
  stage: ClientStage | undefined,
  answers: Map<string, string[]>,
): Promise<RunningClient> {
  const root = await openRoot(layer, { resolvers: [LAB_NETWORK.resolver4] })
  const domains = new Map(stage?.foreseen.map(({ cell, domain }) => [cell, domain]))
  await root.write('/etc/postfix/main.cf', `compatibility_level = 3.6\nmyhostname = ${LAB_NETWORK.hostname}\n`)
  return {
    deliver: async (delivery, signal) => {
      const domain = domains.get(delivery.cell) ?? ''
      answers.set(delivery.cell, await askAll(delivery))
      const log = await finger(root, delivery.policy, domain, signal)
      // It never sends a message.
      return { state: 'failed', log, reason: log.at(-1) ?? 'it said nothing' }
    },
    stop: () => root.close(),
  }
}

/** The time limit is posttls-finger's own for each wait. */
async function finger(root: ClientRoot, policy: Policy, domain: string, signal: AbortSignal): Promise<string[]> {
  const words = ['posttls-finger', '-c', '-l', policy, '-L', 'summary', '-T', '10', '-t', '10', domain]
  const { stdout, stderr } = await root.run(words, { signal, timeoutMs: 60_000 })
  return `${stdout}${stderr}`.split('\n').filter((line) => line !== '')
}

async function askAll({ hosts, ask }: Delivery): Promise<string[]> {
  const names = [...new Set(hosts.map(({ name }) => `_25._tcp.${name}`))]
  return Promise.all(
    names.map(async (name) => {
      const { rcode = -1, secure = false } = (await ask?.(name, 'TLSA')) ?? {}
      return `${name} ${rcodeText(rcode)}${secure ? ' AD' : ''}`
    }),
  )
}

function witnessed(cell: CellBegun, events: readonly LogEvent[], resolver: Map<string, string[]>): Witnessed {
  const placed = events.map((event, seq) => ({ event: event as PeerEvent, seq }))
  const connections = readConnections(placed)
  return {
    cell: cell.cell.replace(`/${ID}`, ''),
    said: events.flatMap((event) => (event.type === 'client' ? event.word.log : [])),
    resolver: resolver.get(cell.cell) ?? [],
    own: connections.flatMap((connection, at) => {
      if (connection.ups.length === 0) return []
      const { kind, reason } = credentialOf(connection, connections.slice(0, at), cell)
      const { address } = connection.opened.event.local
      return [{ address, byTlsa: tlsaToUse(cell, connection.host) !== undefined, kind, reason }]
    }),
  }
}
