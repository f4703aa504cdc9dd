/** Predicates about the client itself: that it ends, and ends truthfully. Pure. RFC 5321 §4.5.3.2, §6.1; RFC 8461 §5. */

import { offersIn, replyFor } from './connection.ts'
import type { Holding } from './holding.ts'
import { held, notApplicable, unless } from './holding.ts'
import { acceptances, type Observation } from './observe.ts'
import type { Outcomes } from './outcome.ts'
import type { Predicate } from './predicates.ts'
import { spell } from './schedule.ts'

function bounded(_: Observation, outcomes: Outcomes): Holding {
  const waits = outcomes.attempts.flatMap(({ wait }) => (wait === undefined ? [] : [wait]))
  const [hung] = waits.filter((wait) => wait.hung)
  if (hung === undefined && waits.length > 0) return notApplicable('the client was ended before its stage was up')
  return unless(
    hung === undefined ? undefined : `waited ${seconds(hung.waitedMs)} for ${hung.for}, without end`,
    'the client ended by itself',
  )
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

const bounces = (outcomes: Outcomes): string[] =>
  outcomes.attempts
    .filter(({ outcome }) => outcome === 'bounced')
    .map(({ attempt }) => `bounced in attempt ${attempt.number}`)

export const CLIENT_PREDICATES: Readonly<Record<string, Predicate>> = {
  'bounded-wait': {
    title: 'The client does not wait for ever',
    source: 'RFC 5321 §4.5.3.2',
    weight: 'fail',
    check: bounded,
  },
  'no-hang': {
    title: 'The client does not hang',
    source: 'RFC 5321 §4.5.3.2',
    weight: 'fail',
    check: bounded,
  },
  'no-crash': {
    title: 'The client does not crash',
    source: 'catalogue §3.2',
    weight: 'fail',
    check(_, outcomes) {
      const crashes = outcomes.attempts
        .filter(({ outcome }) => outcome === 'crashed')
        .map(({ attempt }) => `crashed: ${attempt.word?.reason ?? ''}`)
      return unless(crashes, 'no crash')
    },
  },
  'no-bounce': {
    title: 'The message is never given up for good',
    source: 'RFC 5321 §4.5.4.1',
    weight: 'fail',
    check: (_, outcomes) => unless(bounces(outcomes), 'no bounce'),
  },
  'kept-for-days': {
    title: 'The message is not given up before it is four days old',
    source: 'RFC 5321 §4.5.4.1 (the give-up time generally needs to be at least 4-5 days)',
    weight: 'flagged',
    check(_, outcomes) {
      const bounced = outcomes.judged.find(({ outcome }) => outcome === 'bounced')
      if (bounced === undefined) return held('never given up')
      const age = bounced.attempt.word?.ageSeconds
      if (age === undefined) return notApplicable('its age on the clock of the client is not known')
      return unless(
        age < 4 * 86_400 ? `given up at an age of ${spell(age)}` : undefined,
        `given up after ${spell(age)}`,
      )
    },
  },
  'no-bounce-under-mta-sts': {
    title: 'Under an enforced MTA-STS policy the message is not bounced at once',
    source: 'RFC 8461 §5',
    weight: 'fail',
    check(observation, outcomes) {
      if (observation.cell.judgedAs !== 'mta-sts') return notApplicable('the policy is not mta-sts')
      return unless(bounces(outcomes), 'no bounce')
    },
  },
  'bounce-never-first': {
    title: 'The first attempt ends with no bounce',
    source: 'RFC 5321 §4.5.4.1; RFC 3207 §6',
    weight: 'fail',
    check(_, outcomes) {
      const first = outcomes.attempts.find(({ attempt, outcome }) => attempt.cause === 'first' && outcome === 'bounced')
      return unless(
        first === undefined ? undefined : `bounced in attempt ${first.attempt.number}, the first of its message`,
        'no bounce at the first attempt',
      )
    },
  },
  'no-success-report-when-lost': {
    title: 'The client reports success only for what a peer accepted',
    source: 'RFC 5321 §6.1',
    weight: 'fail',
    check(_, outcomes) {
      const lost = outcomes.attempts.find(({ outcome }) => outcome === 'lost')
      return unless(
        lost === undefined
          ? undefined
          : `reported success in attempt ${lost.attempt.number}; no peer accepted the message`,
        'no false report of success',
      )
    },
  },
  'no-false-size-bounce': {
    title: 'A SIZE limit from before TLS does not stop the message inside TLS',
    source: 'RFC 3207 §4.2; RFC 1870 §6.1',
    weight: 'fail',
    check(observation) {
      if (acceptances(observation, observation.connections).length > 0) return { held: true, detail: 'delivered' }
      const gaveUp = observation.connections.filter((connection) => {
        const [offer] = offersIn(connection, 'tls')
        const mail = connection.commands.find(({ verb, layer }) => verb === 'MAIL' && layer === 'tls')
        if (offer === undefined) return false
        return mail === undefined || (replyFor(connection, mail)?.code ?? 0) === 552
      })
      if (gaveUp.length === 0) return notApplicable('the client did not come to read the EHLO reply inside TLS')
      return unless('gave up inside TLS after the EHLO reply, before MAIL', '')
    },
  },
  'recovers-after-change': {
    title: 'After a legitimate change the client delivers again',
    source: 'RFC 7435 §3',
    weight: 'fail',
    check(observation, outcomes) {
      if (observation.attempts.length < 2) return notApplicable('there was one attempt only')
      const last = outcomes.attempts.at(-1)
      return unless(
        last?.weakest === undefined ? 'the last attempt delivered nothing' : undefined,
        'the last attempt delivered',
      )
    },
  },
}
