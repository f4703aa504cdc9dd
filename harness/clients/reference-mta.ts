/**
 * The reference client with a queue: what a sound MTA does with a message whose domain has several hosts, and with one that
 * it could not deliver. In process, ours; the hosts are told to it, it has no resolver.
 *
 * RFC 5321 §5.1: hosts in the order of their preference, the next one where a host cannot be reached or does not take the
 * session. A 5yz reply in the mail transaction ends the message (§4.2.1); everything about TLS may be better at another
 * host, or tomorrow.
 */
import type { ClientAdapter, ClientWord, Delivery, MailHost } from '../../scenarios/client.ts'
import type { Decisions, Memory } from './reference/decisions.ts'
import type { Failure, Stage } from './reference/failure.ts'
import { decisionsWith } from './reference/flaws.ts'
import { newMemory, referenceWith, running, visit } from './reference.ts'

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
      const sender = running((delivery, signal) => tryHosts(delivery, decide, memory, signal))
      return {
        ...sender,
        retry: async (delivery, signal) =>
          decide.retries
            ? sender.deliver(delivery, signal)
            : { state: 'queued', log: [], reason: 'stays in the queue' },
      }
    },
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
  const log: string[] = []
  let reason = 'the domain has no mail host'
  for (const host of decide.hostsToTry(byPreference(delivery.hosts))) {
    const { name: hostName, address, port } = host
    log.push(`(${hostName} [${address}]:${port})`)
    const { word, failure } = await visit({ ...delivery, hostName, address, port }, decide, memory, signal)
    log.push(...word.log)
    reason = word.reason
    if (word.state !== 'failed') return { ...word, log }
    if (forGood(failure)) return { ...word, state: 'bounced', log }
  }
  return { state: 'queued', kind: 'temporary', log, reason }
}

function forGood(failure: Failure | undefined): boolean {
  return failure?.permanent === true && TRANSACTION.has(failure.stage)
}

/** Smallest number first (RFC 5321 §5.1); those without an MX record are the only ones. */
function byPreference(hosts: readonly MailHost[]): readonly MailHost[] {
  const listed = hosts.filter(({ preference }) => preference !== undefined)
  return (listed.length > 0 ? listed : [...hosts]).sort((a, b) => (a.preference ?? 0) - (b.preference ?? 0))
}
