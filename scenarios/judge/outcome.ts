/**
 * What happened to the message, as one word: of an attempt, of the first attempt, and in the end. Pure.
 *
 * Catalogue §3.2: the first word of the list that fits; of several acceptances the weakest counts. Acceptance is the 2xx
 * that the client was sent after the final dot (or BDAT LAST) of a transaction of this very message (RFC 5321 §6.1), and
 * nothing that the client says of itself.
 */
import type { FinalOutcome, Outcome } from '../record.ts'
import type { Connection, Transaction } from './connection.ts'
import { type Attempt, acceptances, type Observation, observed } from './observe.ts'
import { type Wait, waitOf } from './waiting.ts'

export interface AttemptOutcome {
  readonly attempt: Attempt
  readonly outcome: Outcome
  readonly acceptances: readonly Transaction[]
  /** The acceptance that gives the outcome, where there was one. */
  readonly weakest?: Transaction
  /** The harness had to end the client. */
  readonly wait?: Wait
}

export interface Outcomes {
  readonly attempts: readonly AttemptOutcome[]
  /** Of the message that is judged. */
  readonly judged: readonly AttemptOutcome[]
  readonly first: FinalOutcome
  readonly final: FinalOutcome
}

type Delivered = Extract<Outcome, `delivered-${string}`>

/** The channel of an acceptance. */
export function channelOf(observation: Observation, transaction: Transaction): Delivered {
  if (transaction.layer === 'clear') return 'delivered-cleartext'
  const kind = observed(observation, transaction.conn)?.credential.kind ?? 'clear'
  if (kind === 'verified') return 'delivered-verified'
  return kind === 'unauthenticated' ? 'delivered-unauthenticated-tls' : 'delivered-cleartext'
}

const WEAKEST_FIRST: readonly Outcome[] = ['delivered-cleartext', 'delivered-unauthenticated-tls', 'delivered-verified']

export function outcomesOf(observation: Observation): Outcomes {
  const attempts = observation.attempts.map((attempt) => attemptOutcome(observation, attempt))
  const judged = attempts.filter(({ attempt }) => observation.judged.includes(attempt))
  const first = judged[0]?.outcome ?? 'unknown'
  return { attempts, judged, first, final: finalOf(observation, judged) }
}

function attemptOutcome(observation: Observation, attempt: Attempt): AttemptOutcome {
  const accepted = acceptances(observation, attempt.connections)
  const weakest = WEAKEST_FIRST.flatMap((channel) =>
    accepted.filter((transaction) => channelOf(observation, transaction) === channel),
  )[0]
  const wait = waitOf(observation, attempt)
  const outcome = wordOf(attempt, wait, weakest === undefined ? undefined : channelOf(observation, weakest))
  return {
    attempt,
    outcome,
    acceptances: accepted,
    ...(weakest === undefined ? {} : { weakest }),
    ...(wait === undefined ? {} : { wait }),
  }
}

function wordOf(attempt: Attempt, wait: Wait | undefined, channel: Delivered | undefined): Outcome {
  const state = attempt.word?.state
  if (state === 'crashed') return 'crashed'
  if (wait?.hung === true) return 'hung'
  if (channel !== undefined) return channel
  // Inside TLS that nobody here terminated an acceptance cannot be seen: no word on it.
  if (state === 'delivered') return attempt.connections.some(isOpaque) ? 'inconclusive' : 'lost'
  if (state === 'bounced') return 'bounced'
  if (state === 'failed' || state === 'queued') return 'deferred'
  if (state === undefined && attempt.connections.length === 0) return 'not-attempted'
  return 'inconclusive'
}

function isOpaque(connection: Connection): boolean {
  return connection.opaque
}

/** In the end: a failure of the client in any attempt, else the weakest acceptance, else what the last attempt left. */
function finalOf(observation: Observation, judged: readonly AttemptOutcome[]): FinalOutcome {
  const words = judged.map(({ outcome }) => outcome)
  for (const word of ['crashed', 'hung', 'lost', ...WEAKEST_FIRST] as const) if (words.includes(word)) return word
  const last = words.at(-1)
  if (last === undefined) return 'unknown'
  // A queueing client that was given one attempt would have gone on.
  return last === 'deferred' && words.length === 1 && observation.cell.kind === 'queue' ? 'unknown' : last
}
