/**
 * What a client was waiting for when the harness ended it, for how long, and whether RFC 5321 §4.5.3.2 lets it wait that
 * long. Pure.
 *
 * What always holds: a client is called hung only when nothing has moved it for the whole limit of its stage divided by the
 * run's timeScale; before that it is waiting, which is no verdict on it. Octets of a reply that does not end move nobody:
 * the limits are for the reply to a command (RFC 5321 §4.5.3.2: "per-command timeouts"), not for the silence between two
 * of its octets. A client whose own limits could not be set is not called hung before they are over; one that has none for
 * what it waits for would have waited for ever.
 */
import type { OwnLimits, WaitPhase } from '../client.ts'
import type { Connection } from './connection.ts'
import type { Attempt, Observation } from './observe.ts'
import type { Entry } from './transcript.ts'

/** Seconds, RFC 5321 §4.5.3.2.1 to .6; what it does not name has the limit of MAIL, and TLS too. */
const LIMITS: Readonly<Record<WaitPhase, number>> = {
  ...{ connect: 300, banner: 300, command: 300, handshake: 300, data: 120, block: 180, dot: 600 },
}

/** Of the deadline: an adapter gives its client no longer limit of its own for one wait (0.4), and a moment to act on it. */
const OWN_LIMIT = 0.46

export interface Wait {
  /** `the reply to STARTTLS`, `the banner`, `the TLS handshake`. */
  readonly for: string
  /** Milliseconds until the client was ended, from the last that it said or was told in whole replies. */
  readonly waitedMs: number
  /** Milliseconds that the stage allows in this run. */
  readonly limitMs: number
  readonly hung: boolean
  /** The client's own limit for this, in seconds, where it could not be set and is not over. */
  readonly own?: { readonly seconds: number; readonly source: string }
}

/** Undefined unless the harness had to end the client in this attempt. */
export function waitOf(observation: Observation, attempt: Attempt): Wait | undefined {
  if (attempt.word?.state !== 'hung') return undefined
  const { deadlineMs, timeScale } = observation.cell
  // What happens after the deadline is the harness's doing, not the client's.
  const until = Math.min(attempt.wordAt ?? Number.POSITIVE_INFINITY, attempt.t + deadlineMs)
  let last: { readonly t: number; readonly connection: Connection } | undefined
  for (const connection of attempt.connections) {
    const t = Math.max(
      connection.opened.event.t,
      ...activity(connection, until)
        .filter(moves)
        .map((entry) => entry.t),
    )
    if (t <= until && (last === undefined || t >= last.t)) last = { t, connection }
  }
  const stage =
    last === undefined
      ? { for: 'anything: it made no connection', phase: 'connect' as const }
      : stageOf(last.connection, until)
  const waitedMs = Math.max(0, until - (last?.t ?? attempt.t))
  const limitMs = (LIMITS[stage.phase] * 1000) / timeScale
  const own = ownLimit(attempt.word.limits, stage.phase, waitedMs)
  const hung = own === undefined && waitedMs >= Math.max(limitMs, deadlineMs * OWN_LIMIT)
  return { for: stage.for, waitedMs, limitMs, hung, ...(own === undefined ? {} : { own }) }
}

/** A client needs a moment to act on its own limit, in milliseconds. */
const SLACK_MS = 8_000

/** The client's own limit, where the harness ended a connection in the middle of a wait that is longer in the client. */
export function ownLimitAtEnd({ connections, word }: Attempt): Wait['own'] {
  const ended = connections.find(({ closed }) => closed?.event.by === 'harness')
  const until = ended?.closed?.event.t
  if (ended === undefined || until === undefined) return undefined
  const last = Math.max(
    ended.opened.event.t,
    ...activity(ended, until)
      .filter(moves)
      .map((entry) => entry.t),
  )
  return ownLimit(word?.limits, stageOf(ended, until).phase, until - last)
}

function ownLimit(limits: OwnLimits | undefined, phase: WaitPhase, waitedMs: number): Wait['own'] {
  const seconds = limits?.seconds[phase]
  if (limits === undefined || typeof seconds !== 'number' || waitedMs > seconds * 1000 + SLACK_MS) return undefined
  return { seconds, source: limits.source }
}

function activity(connection: Connection, until: number): Entry[] {
  return connection.entries.filter((entry) => entry.kind !== 'eof' && entry.t <= until)
}

/** Whether the dialogue went on by it; the part of a reply does not, nor text that is none. */
function moves(entry: Entry): boolean {
  return entry.kind !== 'bytes' || entry.from === 'client' || entry.what === 'tls-records'
}

interface Stage {
  readonly for: string
  readonly phase: WaitPhase
}

function stageOf(connection: Connection, until: number): Stage {
  const entries = activity(connection, until)
  const answered = new Set<number>()
  for (const entry of entries)
    if (entry.kind === 'reply' && entry.answers !== null && !entry.interim) answered.add(entry.answers)
  const handshake = entries.findLast(
    (entry) => entry.kind === 'tls' || (entry.kind === 'reply' && entry.code === 220 && entry.answers !== 0),
  )
  const begun =
    handshake?.kind === 'reply' ||
    (handshake?.kind === 'tls' && (handshake.state === 'hello' || handshake.state === 'presented'))
  // Where TLS starts at once the client speaks first; one that has said nothing expects a banner.
  const spoken = entries.some(({ from }) => from === 'client')
  if (begun || (connection.opened.event.tlsOnConnect && handshake === undefined && spoken)) {
    return { for: 'the TLS handshake', phase: 'handshake' }
  }
  const open = entries.find((entry) => entry.kind === 'command' && !answered.has(entry.id))
  if (open?.kind !== 'command') {
    return answered.has(0) || connection.ups.length > 0
      ? { for: 'nothing: it was its turn to speak', phase: 'command' }
      : { for: 'the banner', phase: 'banner' }
  }
  if (open.verb !== 'DATA') return { for: `the reply to ${open.verb}`, phase: 'command' }
  const content = entries.filter((entry) => entry.kind === 'content' && entry.id === open.id)
  const asked = entries.some((entry) => entry.kind === 'reply' && entry.answers === open.id)
  if (!asked) return { for: 'the reply to DATA', phase: 'data' }
  const whole = content.some((entry) => entry.kind === 'content' && entry.last)
  return whole
    ? { for: 'the reply to the final dot', phase: 'dot' }
    : { for: 'its own content to go out', phase: 'block' }
}
