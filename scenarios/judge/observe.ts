/**
 * Everything that the log of one cell says, in the form in which outcome, flags and predicates look at it. Pure.
 *
 * An attempt is all that the client did for one message until it gave up or queued it; a message begins with an attempt of
 * the cause `first`. The cell's expectation speaks of its last message; those before it prepare for it.
 */
import { type Question, questionOf } from '../../peers/dns/message.ts'
import type { PeerEvent, ProofEvent } from '../../peers/events.ts'
import type { ClientWord } from '../client.ts'
import type { CellBegun, CellEnded, LogEvent } from '../events.ts'
import { FLOOR, type Policy } from '../policy.ts'
import { type Sighting, sightingsIn } from './canaries.ts'
import { type Connection, readConnections, type Transaction } from './connection.ts'
import { type Credential, credentialOf } from './credential.ts'
import { type Alternative, alternativesOf, parseExpectation } from './expectation.ts'
import type { CommandEntry, Placed } from './transcript.ts'

export interface Attempt {
  readonly number: number
  readonly cause: 'first' | 'forced' | 'aged' | 'own'
  /** Where it is another than the cell's: the attempt prepares, and what this one allows is no fault here. */
  readonly policy?: Policy
  readonly t: number
  readonly seq: number
  /** When the client had said how it ended; undefined for one that was cut short. */
  readonly endedAt?: number
  readonly connections: readonly Connection[]
  /** What the client said of it, last word. */
  readonly word?: ClientWord
  readonly wordAt?: number
}

/** A connection with what judging derives from it. */
export interface Observed extends Connection {
  readonly credential: Credential
  readonly sightings: readonly Sighting[]
}

export interface Observation {
  readonly cell: CellBegun
  readonly attempts: readonly Attempt[]
  /** The attempts of the last message. */
  readonly judged: readonly Attempt[]
  /** How old the last message was, in seconds of the client's clock, when its waiting by itself was over. */
  readonly aloneSeconds?: number
  readonly connections: readonly Observed[]
  /** What the client asked its resolver for, in order. */
  readonly asked: readonly Question[]
  readonly proof: readonly Placed<ProofEvent>[]
  /** The hosts of the domain, from the place in the log where they became so. */
  readonly worlds: readonly { readonly seq: number; readonly hosts: CellBegun['hosts'] }[]
  readonly end?: CellEnded
  /** The longest time for which the harness was late while the client was busy, in milliseconds. */
  readonly lateMs: number
  /** Time of the last event. */
  readonly lastAt: number
  readonly alternatives: readonly Alternative[]
  /** The policy forbids that any protected octet crosses in clear, and the cell makes no exception. */
  readonly forbidsClear: boolean
  /** The policy forbids to give anything to a peer that has not proven its name. */
  readonly requiresVerified: boolean
}

/** Reads the events of a cell, its `cell` event first. Throws RangeError when the expectation cannot be read. */
export function observe(cell: CellBegun, events: readonly LogEvent[]): Observation {
  const parse = parseExpectation(cell.expected)
  if (!parse.ok) {
    throw new RangeError(
      `cell ${cell.cell}: expected "${cell.expected}", character ${parse.position + 1}: ${parse.message}`,
    )
  }
  const alternatives = alternativesOf(parse.expectation)
  const placed = events.map((event, seq) => ({ event, seq }))
  const plain = readConnections(placed as Placed<PeerEvent>[])
  const worlds = [
    { seq: -1, hosts: cell.hosts },
    ...events.flatMap((event, seq) => (event.type === 'phase' ? [{ seq, hosts: event.hosts }] : [])),
  ]
  const connections = plain.map((connection, at) => ({
    ...connection,
    credential: credentialOf(connection, plain.slice(0, at), {
      ...cell,
      hosts: worlds.findLast(({ seq }) => seq < connection.opened.seq)?.hosts ?? cell.hosts,
    }),
    sightings: sightingsIn(connection, cell.canaries),
  }))
  const told = readAttempts(cell, placed, connections)
  const attempts = told.filter((attempt) => !onlyWaited(attempt))
  const aloneSeconds = told.findLast(({ cause }) => cause === 'own')?.word?.ageSeconds
  const lastFirst = attempts.findLastIndex(({ cause }) => cause === 'first')
  const end = events.findLast((event): event is CellEnded => event.type === 'cell-end')
  const allows = (letters: string): boolean =>
    alternatives.some(({ first, final }) => letters.includes(first) || letters.includes(final))
  const floor = FLOOR[cell.judgedAs]
  return {
    cell,
    attempts,
    judged: attempts.slice(Math.max(0, lastFirst)),
    ...(aloneSeconds === undefined ? {} : { aloneSeconds }),
    connections,
    asked: events.flatMap((event) =>
      event.type === 'dns' && event.at === 'stub' && event.direction === 'in' ? (questionOf(event.data) ?? []) : [],
    ),
    proof: placed.filter((each): each is Placed<ProofEvent> => isProof(each.event)),
    worlds,
    ...(end === undefined ? {} : { end }),
    lateMs: Math.max(0, ...events.map((event) => (event.type === 'late' ? event.ms : 0))),
    lastAt: events.at(-1)?.t ?? cell.t,
    alternatives,
    forbidsClear: floor !== 'C' && !allows('C'),
    requiresVerified: floor === 'V' && !allows('CU'),
  }
}

/** Without what the client did under another policy: what flags and predicates look at. */
export function withoutPreparation(observation: Observation): Observation {
  const { cell, connections } = observation
  const attempts = observation.attempts.filter(({ policy }) => policy === undefined)
  const preparing = observation.attempts.filter(({ policy }) => policy !== undefined)
  if (preparing.length === 0) return observation
  const theirs = new Set(preparing.flatMap((attempt) => attempt.connections.map(({ conn }) => conn)))
  const messages = cell.messages - preparing.filter(({ cause }) => cause === 'first').length
  return {
    ...observation,
    cell: { ...cell, messages },
    attempts,
    connections: connections.filter(({ conn }) => !theirs.has(conn)),
  }
}

function isProof(event: LogEvent): boolean {
  return event.type === 'armed' || event.type === 'opportunity' || event.type === 'fired'
}

/** The client was left to itself, and made no attempt until the harness stopped waiting. */
function onlyWaited({ cause, connections, word }: Attempt): boolean {
  return cause === 'own' && connections.length === 0 && word?.state === 'queued'
}

interface Building {
  number: number
  cause: Attempt['cause']
  policy?: Policy
  t: number
  seq: number
  endedAt?: number
  word?: ClientWord
  wordAt?: number
}

function readAttempts(
  cell: CellBegun,
  events: readonly Placed<LogEvent>[],
  connections: readonly Observed[],
): readonly Attempt[] {
  const attempts: Building[] = []
  for (const { event, seq } of events) {
    if (event.type === 'attempt' && event.state === 'begun') {
      const { attempt, cause, policy, t } = event
      attempts.push({ number: attempt, cause, ...(policy === undefined ? {} : { policy }), t, seq })
    } else if (event.type === 'attempt') {
      const own = attempts.find(({ number }) => number === event.attempt)
      if (own !== undefined) own.endedAt = event.t
    } else if (event.type === 'client') {
      const own = attempts.find(({ number }) => number === event.attempt) ?? attempts.at(-1)
      if (own !== undefined) {
        own.word = event.word
        own.wordAt = event.t
      }
    }
  }
  if (attempts.length === 0) attempts.push({ number: 1, cause: 'first', t: cell.t, seq: 0 })
  return attempts.map((attempt, at) => {
    const from = at === 0 ? -1 : attempt.seq
    const until = attempts[at + 1]?.seq ?? Number.POSITIVE_INFINITY
    return { ...attempt, connections: connections.filter(({ opened }) => opened.seq >= from && opened.seq < until) }
  })
}

/** The attempts of each message, those of the one that is judged last. */
export function messagesOf(observation: Observation): readonly (readonly Attempt[])[] {
  const messages: Attempt[][] = []
  for (const attempt of observation.attempts) {
    const last = messages.at(-1)
    if (attempt.cause === 'first' || last === undefined) messages.push([attempt])
    else last.push(attempt)
  }
  return messages
}

/** A canary's text, or one that is found nowhere. */
function canary(cell: CellBegun, name: string): string {
  return cell.canaries.find((each) => each.name === name)?.value ?? '\u0000'
}

/**
 * Whether a transaction carries the cell's own message: by the canary in its recipient or sender, or in its content where
 * it is no bounce (empty reverse-path, RFC 5321 §4.5.5). A client's own notices come back to the same peer.
 */
export function isOurs(observation: Observation, transaction: Transaction): boolean {
  const { cell } = observation
  const holds = (command: CommandEntry, name: string): boolean =>
    command.argument.toLowerCase().includes(canary(cell, name).toLowerCase())
  if (transaction.recipients.some((recipient) => holds(recipient, 'recipient'))) return true
  if (holds(transaction.mail, 'sender')) return true
  if (/^FROM:\s*<>/i.test(transaction.mail.argument)) return false
  if (transaction.recipients.some((recipient) => holds(recipient, 'sender'))) return false
  const content = Buffer.concat(transaction.content.map(({ bytes }) => bytes))
  return content.includes(canary(cell, 'body'), 0, 'latin1') || content.includes(canary(cell, 'subject'), 0, 'latin1')
}

/** The acceptances of the cell's own message on these connections, in order. */
export function acceptances(observation: Observation, connections: readonly Connection[]): readonly Transaction[] {
  return connections
    .flatMap(({ transactions }) => transactions)
    .filter((transaction) => transaction.acceptedBy !== undefined && isOurs(observation, transaction))
    .sort((a, b) => (a.acceptedBy?.seq ?? 0) - (b.acceptedBy?.seq ?? 0))
}

/** MAIL commands of the cell's own message outside TLS, in order. */
export function clearMails(observation: Observation, connections: readonly Connection[]): readonly CommandEntry[] {
  return connections
    .flatMap(({ transactions }) => transactions)
    .filter((transaction) => transaction.layer === 'clear' && isOurs(observation, transaction))
    .map(({ mail }) => mail)
    .sort((a, b) => a.seq - b.seq)
}

/** The observed form of a connection. */
export function observed(observation: Observation, conn: string): Observed | undefined {
  return observation.connections.find((connection) => connection.conn === conn)
}
