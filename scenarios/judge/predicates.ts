/**
 * The vocabulary of `assert`: what a scenario can demand beyond the outcome, each checked on what was observed. Pure.
 *
 * What always holds: a predicate that was never put to the test says `not-applicable`, not that it held; the detail of one
 * that does not hold says what was seen. `weight` is the verdict that a broken one brings.
 */
import type { Holding } from './holding.ts'
import type { Observation } from './observe.ts'
import type { Outcomes } from './outcome.ts'
import { CHANNEL_PREDICATES } from './predicates-channel.ts'
import { CLIENT_PREDICATES } from './predicates-client.ts'
import { DIALOGUE_PREDICATES } from './predicates-dialogue.ts'
import { DNS_PREDICATES } from './predicates-dns.ts'
import { LIMIT_PREDICATES } from './predicates-limits.ts'
import { SESSION_PREDICATES } from './predicates-session.ts'
import { TLS_PREDICATES } from './predicates-tls.ts'

export interface Predicate {
  /** A sentence that says what must hold. */
  readonly title: string
  readonly source: string
  readonly weight: 'leak' | 'fail' | 'flagged'
  /** Where it does not hold, the client itself is why what the scenario is about was never met: it is judged all the same. */
  readonly explainsAbsence?: true
  check(observation: Observation, outcomes: Outcomes): Holding
}

/** Every predicate by its id. */
export const PREDICATES: Readonly<Record<string, Predicate>> = {
  ...CHANNEL_PREDICATES,
  ...CLIENT_PREDICATES,
  ...DIALOGUE_PREDICATES,
  ...DNS_PREDICATES,
  ...SESSION_PREDICATES,
  ...LIMIT_PREDICATES,
  ...TLS_PREDICATES,
}
