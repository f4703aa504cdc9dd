/**
 * The reference client with a queue: what a sound MTA does with a message whose domain has several hosts, and with one that
 * it could not deliver. In process, ours; the hosts are told to it, it has no resolver.
 *
 * RFC 5321 §5.1: hosts in the order of their preference, the next one where a host cannot be reached or does not take the
 * session. A 5yz reply in the mail transaction ends the message (§4.2.1); everything about TLS may be better at another
 * host, or tomorrow.
 */
import { setMaxListeners } from 'node:events'
import { seeded } from '../../peers/random.ts'
import type { ClientAdapter, ClientWord, Delivery, MailHost } from '../../scenarios/client.ts'
import type { HeardLine } from '../process/program.ts'
import type { Decisions, Memory } from './reference/decisions.ts'
import type { Failure, Stage } from './reference/failure.ts'
import { decisionsWith } from './reference/flaws.ts'
import { newMemory, referenceWith, running, visit } from './reference.ts'
import { logOf } from './word.ts'

/** The correct client. */
export const client: ClientAdapter = referenceMtaWith([])

/** With flaws switched on. Throws a RangeError that lists the flaws when one is unknown. */
export function referenceMtaWith(flaws: readonly string[]): ClientAdapter {
  const single = referenceWith(flaws)
  const decide = decisionsWith(flaws)
  return {
    ...single,
    id: 'reference-mta',
    name: `${single.name}, with a queue`,
    kind: 'queue',
    documented: { policy: 'may', source: 'harness/clients/reference-mta.ts' },
    start: async () => {
      const memory = newMemory()
      const queue = new Queue()
      const sender = running(async (delivery, signal) => {
        const policy = decide.policyOf(delivery.policy, queue.attempt(delivery))
        const domain = delivery.to[0]?.replace(/^.*@/, '') ?? ''
        const trouble = await mxTrouble(delivery, domain, decide)
        if (trouble !== undefined) return trouble
        const hosts = decide.lookedUp(domain, await byExchange(delivery, domain), memory)
        const sorted = byPreference(hosts, domain, queue.turn(domain))
        return tryHosts({ ...delivery, policy, hosts: decide.hostsToTry(sorted) }, decide, memory, signal)
      })
      return {
        ...sender,
        retry: async (delivery, signal) => (decide.retries ? sender.deliver(delivery, signal) : STAYS),
        wait: async (delivery, horizonSeconds, signal) => {
          const ageSeconds = queue.grow(
            delivery,
            decide.retries ? decide.retryAfter : () => horizonSeconds,
            horizonSeconds,
          )
          if (ageSeconds >= horizonSeconds) return { ...STAYS, ageSeconds }
          const word = await sender.deliver(delivery, signal)
          const late = word.state === 'queued' && ageSeconds >= decide.lifetime
          return { ...word, ageSeconds, ...(late ? { state: 'bounced', kind: 'permanent' } : {}) }
        },
      }
    },
  }
}

const SERVFAIL = 2
const NXDOMAIN = 3

/** Why no host of the domain is to be tried, where the client has a resolver (RFC 5321 §5.1, RFC 7505 §3, RFC 7672 §2.1.2). */
async function mxTrouble({ ask }: Delivery, domain: string, decide: Decisions): Promise<ClientWord | undefined> {
  if (ask === undefined) return undefined
  const { rcode, records } = await ask(domain, 'MX')
  if (rcode === SERVFAIL && decide.afterFailedMx !== 'address') {
    const word = { log: [], reason: `the MX records of ${domain} cannot be looked up` }
    return decide.afterFailedMx === 'queue'
      ? { ...word, state: 'queued', kind: 'temporary' }
      : { ...word, state: 'bounced', kind: 'permanent' }
  }
  if (rcode !== NXDOMAIN && !records.some(({ data }) => /^\d+ \.$/.test(data))) return undefined
  const word = { log: [], reason: `${domain} does not exist, or takes no mail` }
  return decide.afterNoDomain === 'bounce'
    ? { ...word, state: 'bounced', kind: 'permanent' }
    : { ...word, state: 'queued', kind: 'temporary' }
}

/** The hosts by the names that MX records have for them, where these are aliases (RFC 7672 §2.2.2). */
async function byExchange({ ask, hosts }: Delivery, domain: string): Promise<readonly MailHost[]> {
  const exchanges = (await ask?.(domain, 'MX'))?.records.map(({ data }) => data.split(' ')[1] ?? '') ?? []
  const names = new Map<string, string>()
  for (const exchange of exchanges) {
    if (ask === undefined || hosts.some(({ name }) => name === exchange)) continue
    const target = (await ask(exchange, 'A')).records.at(-1)?.name
    if (target !== undefined) names.set(target, exchange)
  }
  return hosts.map((host) => ({ ...host, name: names.get(host.name) ?? host.name }))
}

const STAYS: ClientWord = { state: 'queued', log: [], reason: 'stays in the queue' }

/** What the client knows of the messages that it was given. Its clock is the age of each: nobody waits for it. */
class Queue {
  private readonly messages = new WeakMap<Buffer, { attempts: number; ageSeconds: number }>()
  /** Attempts by domain. */
  private readonly turns = new Map<string, number>()

  private of({ message }: Delivery): { attempts: number; ageSeconds: number } {
    const known = this.messages.get(message) ?? { attempts: 0, ageSeconds: 0 }
    this.messages.set(message, known)
    return known
  }

  /** Counts an attempt, from 1. */
  attempt(delivery: Delivery): number {
    const known = this.of(delivery)
    known.attempts += 1
    return known.attempts
  }

  /** The age at which the next attempt is due, at most `horizonSeconds`. */
  grow(delivery: Delivery, retryAfter: Decisions['retryAfter'], horizonSeconds: number): number {
    const known = this.of(delivery)
    known.ageSeconds = Math.min(horizonSeconds, known.ageSeconds + retryAfter(known.attempts))
    return known.ageSeconds
  }

  /** Counts an attempt at a domain, from 0. */
  turn(domain: string): number {
    const turn = this.turns.get(domain) ?? 0
    this.turns.set(domain, turn + 1)
    return turn
  }
}

/** The stages of the mail transaction, in which a refusal is about this message. */
const TRANSACTION: ReadonlySet<Stage> = new Set<Stage>(['mail', 'rcpt', 'data', 'block', 'dot'])

async function tryHosts(
  delivery: Delivery,
  decide: Decisions,
  memory: Memory,
  signal: AbortSignal,
): Promise<ClientWord> {
  // Each connection listens to it, and Node takes more than ten for a leak.
  setMaxListeners(10 + decide.connections, signal)
  const lines: HeardLine[] = []
  let reason = 'the domain has no mail host'
  for (const { name: hostName, address, port } of delivery.hosts) {
    lines.push({ line: `(${hostName} [${address}]:${port})`, at: performance.now() })
    const visits = Array.from({ length: decide.connections }, () =>
      visit({ ...delivery, hostName, address, port }, decide, memory, signal),
    )
    const [first] = await Promise.all(visits)
    if (first === undefined) continue
    const { word, failure } = first
    lines.push(...word.log.map((line, index) => ({ line, at: word.heard?.[index] ?? performance.now() })))
    const log = logOf(lines)
    reason = word.reason
    if (word.state !== 'failed') return { ...word, ...log }
    if (forGood(failure)) return { ...word, state: 'bounced', ...log }
  }
  return { state: 'queued', kind: 'temporary', ...logOf(lines), reason }
}

function forGood(failure: Failure | undefined): boolean {
  return failure?.permanent === true && TRANSACTION.has(failure.stage)
}

/**
 * Smallest number first; those without an MX record are the only ones. Equal ones in an order that spreads the load (RFC
 * 5321 §5.1: MUST randomize): who is first is drawn from the name of the domain, and then taken in turn, so that a run can
 * be repeated.
 */
function byPreference(hosts: readonly MailHost[], domain: string, turn: number): readonly MailHost[] {
  const listed = hosts.filter(({ preference }) => preference !== undefined)
  const choice = listed.length > 0 ? listed : hosts
  const first = Math.floor(seeded(0, domain)() * choice.length) + turn
  return choice
    .map((host, at) => ({ host, preference: host.preference ?? 0, place: (at + first) % choice.length }))
    .sort((a, b) => a.preference - b.preference || a.place - b.place)
    .map(({ host }) => host)
}
