/**
 * The reference client as a client under test: in process, ours, correct; with flaws switched on it is the proof that
 * scenarios can fail, without them the harness's own control.
 */
import { readFile } from 'node:fs/promises'
import type { ClientAdapter, ClientWord, Delivery, PolicySupport, RunningClient } from '../../scenarios/client.ts'
import { type Policy as AnyPolicy, wantsDns } from '../../scenarios/policy.ts'
import type { HeardLine } from '../process/program.ts'
import { linkedAbort } from './linked-abort.ts'
import { attempt } from './reference/attempt.ts'
import type { Target } from './reference/connection.ts'
import { demandOf } from './reference/dane.ts'
import type { Decisions, Memory } from './reference/decisions.ts'
import { Failure } from './reference/failure.ts'
import { decisionsWith } from './reference/flaws.ts'
import type { Job, Policy } from './reference/job.ts'
import type { Receipt } from './reference/session.ts'
import { logOf } from './word.ts'

export { FLAWS } from './reference/flaws.ts'

const NO_HTTPS = 'the reference client has no HTTPS'

const POLICIES: Readonly<Record<AnyPolicy, PolicySupport>> = {
  none: { options: 'policy: none (never STARTTLS)' },
  may: { options: 'policy: may (STARTTLS when offered, certificate not checked, RFC 7435)' },
  encrypt: { options: 'policy: encrypt (STARTTLS required, certificate not checked)' },
  verify: { options: 'policy: verify (STARTTLS required, PKIX, name by RFC 9525)' },
  dane: { options: 'policy: dane (RFC 7672; may where there are no TLSA records)' },
  'dane-only': { options: 'policy: dane-only (RFC 7672; nothing where there are no usable TLSA records)' },
  'mta-sts': { unsupported: NO_HTTPS },
  implicit: { options: 'policy: implicit (TLS on connect, PKIX, name by RFC 9525)' },
  default: { options: 'nothing set (may)' },
}

/** Lines of log and characters of a line that are kept. */
const LOG_LINES = 500
const LOG_WIDTH = 120

/** The correct client. */
export const client: ClientAdapter = referenceWith([])

/** The reference client with flaws switched on. Throws a RangeError that lists the flaws when one is unknown. */
export function referenceWith(flaws: readonly string[]): ClientAdapter {
  const decide = decisionsWith(flaws)
  const name = flaws.length === 0 ? 'badmx reference client' : `badmx reference client (${flaws.join(', ')})`
  return {
    id: 'reference',
    name,
    kind: 'one-shot',
    policies: POLICIES,
    documented: { policy: 'may', source: 'harness/clients/reference.ts' },
    passwords: true,
    exceptions: true,
    namesPeers: true,
    probe: async () => ({ found: true, version: process.version }),
    start: async () => {
      const memory = newMemory()
      return running(async (delivery, signal) => (await visit(delivery, decide, memory, signal)).word)
    },
  }
}

/** What a client that has just been started remembers. */
export function newMemory(): Memory {
  return { tls: new Set(), pins: new Map(), broken: new Set(), hosts: new Map(), sessions: new Map() }
}

/** A client in this process: what it does for one message, with a policy that it has and the end of its patience. */
export function running(deliver: (delivery: Delivery, signal: AbortSignal) => Promise<ClientWord>): RunningClient {
  const stopped = new AbortController()
  const deliveries = new Set<Promise<ClientWord>>()
  return {
    async deliver(delivery, signal) {
      const support = POLICIES[delivery.policy]
      if ('unsupported' in support) return { state: 'unsupported', log: [], reason: support.unsupported }
      if (wantsDns(delivery.policy) && delivery.ask === undefined)
        return { state: 'unsupported', log: [], reason: 'the run has no DNS' }
      const linked = linkedAbort([signal, stopped.signal], delivery.deadlineMs)
      const word = deliver(delivery, linked.signal)
      deliveries.add(word)
      return word.finally(() => {
        linked.release()
        deliveries.delete(word)
      })
    },
    async stop() {
      stopped.abort()
      await Promise.allSettled(deliveries)
    },
  }
}

/** What came of one visit to one host. */
export interface Visit {
  readonly word: ClientWord
  /** Why the message was not taken, where it was not. */
  readonly failure?: Failure
}

/** Goes to the host of the delivery, once. */
export async function visit(
  delivery: Delivery,
  decide: Decisions,
  memory: Memory,
  signal: AbortSignal,
): Promise<Visit> {
  const lines: HeardLine[] = []
  const note = (line: string): void => {
    lines.push({ line: decide.log.escaped ? printable(line) : line, at: performance.now() })
    if (lines.length > LOG_LINES) lines.shift()
  }
  const plain = jobOf(delivery, decide)
  let job = plain
  try {
    job = await underDane(delivery, plain, decide)
    const receipt = await attempt(await targetOf(delivery, job), job, decide, memory, signal, note)
    return { word: decide.report(delivered(receipt, logOf(lines)), undefined, job) }
  } catch (error) {
    if (error instanceof Failure)
      return { word: decide.report(failed(error, logOf(lines)), error, job), failure: error }
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    return { word: { state: 'crashed', ...logOf(lines), reason } }
  }
}

/** The job as the TLSA records of the host have it. @throws {Failure} where they forbid to go there */
async function underDane(delivery: Delivery, job: Job, decide: Decisions): Promise<Job> {
  const { policy, ask, to } = delivery
  if ((policy !== 'dane' && policy !== 'dane-only') || ask === undefined) return job
  const domain = to[0]?.replace(/^.*@/, '') ?? ''
  if (delivery.withoutDane !== undefined && decide.isWithoutDane(domain, delivery.withoutDane))
    return { ...job, policy: 'may' }
  const exchanges = await ask(domain, 'MX')
  if (decide.needsSecureMx(policy) && !exchanges.secure)
    throw new Failure('no-tls', 'connect', `the MX records of ${domain} are not secure`)
  const demand = await demandOf(ask, job.hostName, decide)
  if (demand.kind === 'authenticated') {
    const { records, base } = demand
    return { ...job, policy: 'dane', hostName: base, tlsa: { records, names: [base, domain] } }
  }
  if (policy === 'dane-only') {
    if (decide.withoutTlsa === 'verify') return { ...job, policy: 'verify' }
    throw new Failure('no-tls', 'connect', 'there are no usable TLSA records')
  }
  return { ...job, policy: demand.kind === 'encrypted' ? 'encrypt' : 'may' }
}

function delivered(claims: Receipt, log: ReturnType<typeof logOf>): ClientWord {
  const channel = claims.verified ? 'over verified TLS' : claims.encrypted ? 'over TLS' : 'in clear'
  return { state: 'delivered', claims, ...log, reason: `delivered ${channel}` }
}

function failed(failure: Failure, log: ReturnType<typeof logOf>): ClientWord {
  const reason = printable(failure.message)
  if (failure.kind === 'aborted') return { state: 'hung', ...log, reason }
  return { state: 'failed', kind: failure.permanent ? 'permanent' : 'temporary', ...log, reason }
}

function jobOf(delivery: Delivery, { bareName }: Decisions): Job {
  const { policy, hostName, from, to, message, credentials, timeScale, deadlineMs } = delivery
  return {
    policy: policy === 'default' || policy === 'dane-only' ? 'may' : (policy as Policy),
    hostName: bareName(hostName),
    from,
    to,
    message,
    ...(credentials === undefined ? {} : { credentials }),
    timeScale,
    deadlineMs,
  }
}

async function targetOf(delivery: Delivery, { hostName }: Job): Promise<Target> {
  const { address, port, caFile, clientCertificate, ciphers } = delivery
  const own = clientCertificate && {
    cert: await readFile(clientCertificate.chainFile, 'utf8'),
    key: await readFile(clientCertificate.keyFile, 'utf8'),
  }
  return {
    address,
    port,
    hostName,
    ca: await readFile(caFile, 'utf8'),
    ...(own === undefined ? {} : { own }),
    ...(ciphers === undefined ? {} : { ciphers }),
  }
}

/** Octets of the peer as text that is safe to print. */
function printable(line: string): string {
  const cut = line.length > LOG_WIDTH ? `${line.slice(0, LOG_WIDTH)}…` : line
  return cut.replace(/[^\x20-\x7e…]/g, (octet) => `\\x${octet.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
