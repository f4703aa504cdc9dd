/**
 * From what was observed to a verdict: catalogue §3.4 and the verdict table of the design. Pure.
 *
 * In this order, and never friendlier: what the harness could not do; what the policy forbids in itself, whether or not
 * the fault fired; whether the scenario passes judgement at all; whether the fault was put to the test; then the gravest of
 * what the cell, the predicates and the flags say.
 */
import { FLOOR } from '../policy.ts'
import type { AssertRecord, FinalOutcome, FlagRaised, Verdict } from '../record.ts'
import { delivers, type Letter, letterOf, match, weaker } from './expectation.ts'
import { narrate } from './narrate.ts'
import type { Attempt, Observation } from './observe.ts'
import type { AttemptOutcome, Outcomes } from './outcome.ts'
import { PREDICATES } from './predicates.ts'
import { type Engagement, engagementOf } from './proof.ts'
import { ownLimitAtEnd, type Wait } from './waiting.ts'

export interface Judgement {
  readonly verdict: Verdict
  readonly reason: string
}

/** Why, without the story. */
interface Charge {
  readonly verdict: Verdict
  readonly because: string
}

export function judgeObservation(
  observation: Observation,
  outcomes: Outcomes,
  flags: readonly FlagRaised[],
  asserts: readonly AssertRecord[],
): Judgement {
  const { cell, attempts, end } = observation
  if (end?.status !== 'spoilt') return judgement(observation, outcomes, flags, asserts)
  // What is missing may be so for what others did. What crossed has crossed, and an attempt that is over is over; but the
  // expectation is of the last message.
  const whole = attempts.filter(({ cause }) => cause === 'first').length === cell.messages
  const forbidden = forbiddenInItself(observation, outcomes, flags)
  const found = whole
    ? judgement(observation, outcomes, flags, asserts)
    : forbidden && { verdict: forbidden.verdict, reason: sentence(observation, outcomes, forbidden) }
  const broken = outcomes.attempts.some(({ outcome }) => BREAKDOWNS.has(outcome))
  if (found?.verdict === 'leak' || (found?.verdict === 'fail' && broken)) return found
  return { verdict: 'error', reason: end.reason ?? 'the client ended with other cells in its hands' }
}

function judgement(
  observation: Observation,
  outcomes: Outcomes,
  flags: readonly FlagRaised[],
  asserts: readonly AssertRecord[],
): Judgement {
  const trouble = harnessTrouble(observation)
  const forbidden = forbiddenInItself(observation, outcomes, flags)
  if (trouble !== undefined && (trouble.verdict !== 'missing' || forbidden === undefined)) {
    return { verdict: trouble.verdict, reason: trouble.because }
  }
  const open = unsettled(observation, outcomes, flags, asserts)
  const weighed = open === undefined ? charges(observation, outcomes, flags, asserts) : []
  const found = forbidden === undefined ? (open ?? gravest(weighed)) : gravest([forbidden, ...weighed])
  const charge = found.verdict === 'pass' ? (unearned(observation, outcomes) ?? found) : found
  return doubtful(observation, outcomes, { verdict: charge.verdict, reason: sentence(observation, outcomes, charge) })
}

/**
 * Milliseconds for which the harness may be late before the patience of a client says nothing of the client any more: what
 * adapters add to the limits that the time scale divides.
 */
const LATE_MS: Readonly<Record<Observation['cell']['kind'], number>> = { 'one-shot': 2_000, queue: 6_000 }

/** Verdicts that a client can get for having waited, or given up waiting. A leak stays one, however busy the machine was. */
const BY_PATIENCE: ReadonlySet<Verdict> = new Set<Verdict>([
  'fail',
  'over-strict',
  'not-exercised',
  'info',
  'inconclusive',
])

/** Outcomes that may come of a wait. */
const WAITED: ReadonlySet<FinalOutcome> = new Set<FinalOutcome>(['deferred', 'hung', 'not-attempted', 'inconclusive'])

function doubtful({ cell, lateMs }: Observation, outcomes: Outcomes, judgement: Judgement): Judgement {
  const waited = outcomes.attempts.some(({ outcome }) => WAITED.has(outcome))
  if (lateMs < LATE_MS[cell.kind] || !waited || !BY_PATIENCE.has(judgement.verdict)) return judgement
  const late = `the machine was too busy: badmx was ${(lateMs / 1000).toFixed(1)} s late, and no client can be judged by its patience then`
  return { verdict: 'error', reason: `${late}; it would be ${judgement.verdict}: ${judgement.reason}` }
}

function sentence(observation: Observation, outcomes: Outcomes, { because }: Charge): string {
  const told = decisive(outcomes)
  const story = told === undefined ? '' : narrate(observation, told)
  return [story, because].filter((part) => part !== '').join('; ')
}

/** The attempt that the story is about: the worst of the message, else its last. */
function decisive(outcomes: Outcomes): AttemptOutcome | undefined {
  const worst = outcomes.judged.find(({ outcome }) => outcome === outcomes.final)
  const failing = outcomes.attempts.find(({ outcome }) => BREAKDOWNS.has(outcome))
  return failing ?? worst ?? outcomes.judged.at(-1)
}

function harnessTrouble({ cell, end, judged }: Observation): Charge | undefined {
  if (end === undefined) return { verdict: 'missing', because: 'the cell was begun and never came to its end' }
  if (end.status === 'interrupted') return { verdict: 'missing', because: end.reason ?? 'the run was interrupted' }
  if (end.status === 'unsupported')
    return { verdict: 'unsupported', because: end.reason ?? 'the client cannot be given this policy' }
  if (end.status === 'error') return { verdict: 'error', because: end.reason ?? 'the harness failed' }
  const unknown = cell.asserts.find((id) => PREDICATES[id] === undefined)
  if (unknown !== undefined) return { verdict: 'error', because: `there is no predicate "${unknown}"` }
  const word = judged.find((attempt) => attempt.word?.state === 'unsupported')?.word
  return word === undefined ? undefined : { verdict: 'unsupported', because: word.reason }
}

const BREAKDOWNS: ReadonlySet<string> = new Set<FinalOutcome>(['crashed', 'hung', 'lost'])

const BREAKDOWN_REASON: Readonly<Record<string, string>> = {
  crashed: 'no fault of a peer may do that',
  hung: 'no wait may be without end',
  lost: 'the message is lost',
}

/** What no fault excuses: a delivery below the policy's floor, a forbidden flag, a crash, a hang, a loss. */
function forbiddenInItself(
  observation: Observation,
  outcomes: Outcomes,
  flags: readonly FlagRaised[],
): Charge | undefined {
  const policy = policyName(observation)
  const words = outcomes.attempts.map(({ outcome }) => outcome)
  const own = outcomes.attempts.filter(({ attempt }) => attempt.policy === undefined).map(({ outcome }) => outcome)
  if (observation.forbidsClear && own.includes('delivered-cleartext')) {
    return { verdict: 'leak', because: `${policy} forbids cleartext` }
  }
  if (observation.requiresVerified && own.includes('delivered-unauthenticated-tls')) {
    return { verdict: 'leak', because: `${policy} wants a verified peer` }
  }
  const leak = flags.find(({ weight }) => weight === 'leak')
  if (leak !== undefined) return { verdict: 'leak', because: `${leak.flag}: ${leak.detail}` }
  const breakdown = words.find((word) => BREAKDOWNS.has(word))
  if (breakdown !== undefined) return { verdict: 'fail', because: BREAKDOWN_REASON[breakdown] ?? '' }
  const failed = flags.find(({ weight }) => weight === 'fail')
  return failed === undefined ? undefined : { verdict: 'fail', because: `${failed.flag}: ${failed.detail}` }
}

function policyName({ cell }: Observation): string {
  return cell.policy === 'default' ? `the documented policy ${cell.judgedAs}` : `the policy ${cell.policy}`
}

/** Reasons to give no verdict on the client. */
function unsettled(
  observation: Observation,
  outcomes: Outcomes,
  flags: readonly FlagRaised[],
  asserts: readonly AssertRecord[],
): Charge | undefined {
  if (observation.cell.noVerdict)
    return { verdict: 'info', because: 'the scenario passes no verdict under this policy' }
  const patient = outcomes.judged.find(({ wait, weakest }) => wait?.own !== undefined && weakest === undefined)?.wait
    ?.own
  if (patient !== undefined) return beyondReach(patient)
  const engagement: Engagement = engagementOf(observation)
  if (engagement.state === 'forbidden') return { verdict: 'fail', because: engagement.detail }
  // A client that went past the host with the fault although its preference was due, or never did what would have met the fault
  // although it owed that, is judged for it.
  const wentPast = flags.some(({ flag }) => flag === 'mx.order')
  const owes = asserts.some(({ assert, held }) => held === false && PREDICATES[assert]?.explainsAbsence === true)
  const isItsDoing = engagement.state === 'not-exercised' && (wentPast || owes)
  if (engagement.state !== 'engaged' && !isItsDoing) return { verdict: engagement.state, because: engagement.detail }
  const cut = outcomes.judged.find(({ attempt }) => endedByHarness(attempt))
  const longer = cut === undefined ? undefined : ownLimitAtEnd(cut.attempt)
  if (longer !== undefined) return beyondReach(longer)
  if (cut !== undefined)
    return { verdict: 'error', because: 'the harness ended the connection before the client had spoken' }
  const wait = outcomes.judged.find((attempt) => attempt.wait !== undefined && attempt.weakest === undefined)?.wait
  if (wait !== undefined) return { verdict: 'info', because: 'it may have gone on by itself: no verdict' }
  const unclear = [outcomes.first, outcomes.final].find((word) => word !== 'unknown' && letterOf(word) === undefined)
  if (unclear === 'not-attempted')
    return { verdict: 'inconclusive', because: 'the client neither connected nor said a word' }
  const untold = outcomes.judged.find(({ attempt }) => attempt.word?.state === 'unknown')?.attempt.word
  if (unclear === 'inconclusive' && untold !== undefined) return { verdict: 'inconclusive', because: untold.reason }
  if (unclear !== undefined || outcomes.first === 'unknown') {
    return { verdict: 'inconclusive', because: 'the log does not say how the delivery ended' }
  }
  return undefined
}

/**
 * Where behaviours may fire and none must, a delivery shows that the client got past them. A message that was not delivered
 * although none fired was stopped by something else, which earns no pass.
 */
function unearned({ cell, proof }: Observation, { first, final }: Outcomes): Charge | undefined {
  const letters = [first, final].flatMap((word) => (word === 'unknown' ? [] : (letterOf(word) ?? [])))
  const optional = cell.proof.length > 0 && cell.proof.every(({ fires }) => fires === 'may')
  if (!optional || letters.some(delivers)) return undefined
  if (proof.some(({ event }) => event.type === 'fired')) return undefined
  const names = cell.proof.map(({ behaviour }) => behaviour).join(', ')
  return { verdict: 'not-exercised', because: `nothing was delivered, and that is not the doing of ${names}` }
}

function beyondReach({ seconds, source }: NonNullable<Wait['own']>): Charge {
  return { verdict: 'unsupported', because: `its own limit of ${seconds} s for that cannot be set (${source})` }
}

/** A connection was ended by the harness while the client had not yet said how the delivery went. */
function endedByHarness({ connections, word, wordAt }: Attempt): boolean {
  const until = word?.state === 'hung' ? Number.NEGATIVE_INFINITY : (wordAt ?? Number.NEGATIVE_INFINITY)
  return connections.some(({ closed }) => closed?.event.by === 'harness' && closed.event.t < until)
}

/** The heaviest first. */
const GRAVITY: readonly Verdict[] = ['leak', 'fail', 'over-strict', 'flagged', 'pass']

function gravest(charges: readonly Charge[]): Charge {
  for (const verdict of GRAVITY) {
    const found = charges.find((charge) => charge.verdict === verdict)
    if (found !== undefined) return found
  }
  return { verdict: 'inconclusive', because: 'nothing was judged' }
}

function charges(
  observation: Observation,
  outcomes: Outcomes,
  flags: readonly FlagRaised[],
  asserts: readonly AssertRecord[],
): Charge[] {
  const broken = asserts
    .filter(({ held }) => held === false)
    .map(
      ({ assert, detail }): Charge => ({
        verdict: PREDICATES[assert]?.weight ?? 'fail',
        because: `${assert} does not hold: ${detail}`,
      }),
    )
  const flagged = flags
    .filter(({ weight }) => weight === 'flagged')
    .map(({ flag, detail }): Charge => ({ verdict: 'flagged', because: `${flag}: ${detail}` }))
  return [byExpectation(observation, outcomes), ...broken, ...flagged]
}

/** What the cell of the catalogue says of the outcome. */
export function byExpectation(observation: Observation, outcomes: Outcomes): Charge {
  const { cell, alternatives } = observation
  const first = letterOf(outcomes.first)
  const final = outcomes.final === 'unknown' ? 'unknown' : letterOf(outcomes.final)
  if (first === undefined || final === undefined)
    return { verdict: 'inconclusive', because: 'no letter stands for this outcome' }
  const found = match(alternatives, { first, final, oneShot: cell.kind === 'one-shot' })
  if (found.matched) {
    return found.by.tolerated
      ? {
          verdict: 'flagged',
          because: `${NAMES[found.by.final]} is tolerated here (${found.by.text} of ${cell.expected})`,
        }
      : { verdict: 'pass', because: '' }
  }
  return unmatched(observation, found.got, found.allowed)
}

const NAMES: Readonly<Record<Letter, string>> = {
  V: 'delivery to a verified peer',
  U: 'delivery in TLS without authentication',
  C: 'delivery in clear',
  D: 'deferral',
  B: 'a bounce',
}

function unmatched(observation: Observation, got: Letter, allowed: readonly Letter[]): Charge {
  const { cell } = observation
  const expected = `expected ${cell.expected}`
  const ways = allowed.filter(delivers)
  if (got === 'B') return { verdict: 'fail', because: `bounced; ${expected}` }
  if (got === 'D') {
    return ways.length === allowed.length && ways.length > 0
      ? { verdict: 'over-strict', because: `it may be delivered here: ${expected}` }
      : { verdict: 'fail', because: `deferred where only a bounce is right: ${expected}` }
  }
  if (cell.verbMayWork && worksByVerb(observation, got)) return { verdict: 'pass', because: '' }
  if (ways.length === 0) return { verdict: 'leak', because: `nothing may be delivered here: ${expected}` }
  if (ways.every((way) => weaker(got, way)))
    return { verdict: 'leak', because: `${NAMES[got]} is less than allowed: ${expected}` }
  return {
    verdict: 'flagged',
    because: `${NAMES[got]} is not what the scenario foresees, and no less safe: ${expected}`,
  }
}

/** STARTTLS was sent unasked, worked, and gave what the policy wants. */
function worksByVerb(observation: Observation, got: Letter): boolean {
  const { judgedAs } = observation.cell
  if (!delivers(got) || got === 'C' || weaker(got, FLOOR[judgedAs])) return false
  return observation.connections.some(
    ({ ups, commands }) =>
      ups.length > 0 && commands.some(({ verb, layer }) => verb === 'STARTTLS' && layer === 'clear'),
  )
}
