/**
 * The flags `mx.*`: which of the hosts of a domain the client tried, and in which order. Pure.
 *
 * RFC 5321 §5.1: hosts are tried in the order of their preference, those of equal preference in random order, "until a
 * delivery attempt succeeds"; a limit on their number is allowed, but "the SMTP client SHOULD try at least two addresses".
 */
import type { CellBegun } from '../events.ts'
import { FLOOR } from '../policy.ts'
import { type Connection, replyFor } from './connection.ts'
import { tlsaToUse } from './credential.ts'
import { type Attempt, acceptances, messagesOf, type Observation } from './observe.ts'
import type { Raised } from './raised.ts'

export function mxFlags(observation: Observation): readonly Raised[] {
  return messagesOf(observation).flatMap((attempts) => [
    ...outOfOrder(observation, attempts),
    ...stoppedEarly(observation, attempts),
  ])
}

function hostsAt(observation: Observation, seq: number): CellBegun['hosts'] {
  return observation.worlds.findLast((world) => world.seq < seq)?.hosts ?? observation.cell.hosts
}

/** Host id to preference, of the hosts that a client finds in DNS at this place of the log. */
function listedAt(observation: Observation, seq: number): ReadonlyMap<string, number> {
  const hosts = hostsAt(observation, seq)
  const records = Object.entries(hosts).flatMap(([id, { preference }]) =>
    preference === 'none' ? [] : [[id, preference] as const],
  )
  // Without any MX record the domain itself is the host (§5.1), at all of its addresses.
  return new Map(records.length > 0 ? records : Object.keys(hosts).map((id) => [id, 0]))
}

/**
 * In the first attempt of a message. Later the client may know better; and where it met a host before in this cell and was
 * not served, it may pass over that host from the start.
 */
function outOfOrder(observation: Observation, attempts: readonly Attempt[]): Raised[] {
  const [attempt] = attempts
  if (attempt === undefined) return []
  const tried = new Set<string>()
  for (const { conn, host, opened } of attempt.connections) {
    const listed = listedAt(observation, opened.seq)
    const own = listed.get(host)
    tried.add(host)
    if (own === undefined) continue
    for (const [better, preference] of listed) {
      if (preference >= own || tried.has(better) || failedBefore(observation, better, attempt)) continue
      if (unknownFrom(observation, better, opened.seq)) continue
      const detail = `came to ${host} (preference ${own}) before ${better} (preference ${preference})`
      return [{ flag: 'mx.order', detail, conn, atMs: opened.event.t }]
    }
  }
  return []
}

/**
 * The address of the host, or its TLSA records, could not be looked up: it is passed over like one that cannot be reached
 * (RFC 7672 §2.1.2), and no connection shows that it was its turn.
 */
function unknownFrom(observation: Observation, host: string, seq: number): boolean {
  const { cell, proof } = observation
  const hosts = hostsAt(observation, seq)
  // Where DANE is mandatory, a host without TLSA records that can be used is one that cannot be had (RFC 7672 §2.2.1).
  if (
    cell.judgedAs === 'dane-only' &&
    hosts[host]?.tlsa !== undefined &&
    tlsaToUse({ ...cell, hosts }, host) === undefined
  )
    return true
  const name = cell.hostNames[host]
  const names = [name, `_25._tcp.${name}`]
  return proof.some(
    (each) =>
      each.seq < seq &&
      each.event.type === 'fired' &&
      each.event.behaviour.startsWith('dns:') &&
      names.includes(`${each.event.host}.${cell.domain}`),
  )
}

function failedBefore(observation: Observation, host: string, { seq }: Attempt): boolean {
  const last = observation.connections.findLast((connection) => connection.host === host && connection.opened.seq < seq)
  return last !== undefined && acceptances(observation, [last]).length === 0
}

/**
 * One address only was tried in the first attempt, or in the one in which the message was given up, and another host would
 * have taken the message. Not so where the host refused this very message, or bluntly any (§3.1, §4.2.1): that is an
 * answer.
 */
function stoppedEarly(observation: Observation, attempts: readonly Attempt[]): Raised[] {
  return attempts.flatMap((attempt, at) => {
    const state = attempt.word?.state
    const due = at === 0 ? state === 'failed' || state === 'queued' || state === 'bounced' : state === 'bounced'
    const last = attempt.connections.at(-1)
    if (!due || last === undefined || acceptances(observation, attempt.connections).length > 0) return []
    if (new Set(attempt.connections.map(({ host }) => host)).size > 1) return []
    if (attempt.connections.some((connection) => isAnswered(connection, state === 'bounced'))) return []
    const listed = [...listedAt(observation, last.opened.seq).keys()]
    const usable = listed.find((host) => host !== last.host && isUsable(observation, host, last.opened.seq))
    if (usable === undefined || isNamed(observation, attempt, usable, last.host)) return []
    const end = state === 'bounced' ? 'gave the message up' : 'ended the attempt'
    const detail = `${end} at ${last.host} and did not try ${usable}`
    return [{ flag: 'mx.stopped-early' as const, detail, conn: last.conn, atMs: last.opened.event.t }]
  })
}

const TRANSACTION: ReadonlySet<string> = new Set(['MAIL', 'RCPT', 'DATA', 'BDAT'])
const GREETING: ReadonlySet<string> = new Set(['EHLO', 'HELO'])

/** The host took the message in, or refused it; or, where the client gave it up, the whole session for good. */
function isAnswered(connection: Connection, givenUp: boolean): boolean {
  if (givenUp && connection.replies.some(({ answers, code }) => answers === 0 && code >= 500)) return true
  // Lost after the final dot, the message may have been taken: to try another host at once could duplicate it (§4.5.4.1).
  if (connection.transactions.some(({ content }) => content.some(({ last }) => last))) return true
  return connection.commands.some((command) => {
    const code = replyFor(connection, command)?.code ?? 0
    return (TRANSACTION.has(command.verb) && code >= 400) || (givenUp && GREETING.has(command.verb) && code >= 500)
  })
}

/** Nothing is wrong with it, and the policy can be had there. */
function isUsable(observation: Observation, host: string, seq: number): boolean {
  const { cell } = observation
  const facts = hostsAt(observation, seq)[host]
  if (facts === undefined || cell.proof.some((needed) => needed.host === host && needed.fires === 'must')) return false
  return facts.tls !== 'none' || FLOOR[cell.judgedAs] === 'C'
}

/**
 * The client's own words tell of the other host, where it has a name of its own: a connection that timed out before it was
 * taken is not in the log.
 */
function isNamed({ cell }: Observation, { word }: Attempt, host: string, tried: string): boolean {
  const name = cell.hostNames[host]
  if (name === undefined || name === cell.hostNames[tried] || word === undefined) return false
  return [word.reason, ...word.log].some((line) => line.includes(name))
}
