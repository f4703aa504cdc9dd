/**
 * The flags that hold the client's own word, the second witness, against the wire: `report.*` and `delivered-duplicate`.
 * Pure. That it reports success without any acceptance is an outcome of its own, `lost`; where injected replies said
 * so, they were believed.
 */

import { offeredTls, triedTls } from './connection.ts'
import { injectedBehindGo } from './flags-downgrade.ts'
import { acceptances, clearMails, type Observation } from './observe.ts'
import { type AttemptOutcome, channelOf, type Outcomes } from './outcome.ts'
import { placeOf, type Raised } from './raised.ts'

export function reportFlags(observation: Observation, outcomes: Outcomes): readonly Raised[] {
  return [
    ...duplicates(observation, outcomes),
    ...outcomes.attempts.flatMap((attempt) => [
      ...misclaims(observation, attempt),
      ...silence(observation, attempt),
      ...believedScript(attempt),
    ]),
  ]
}

/** What makes a client believe that its message was accepted: the go-ahead for the content, and a 2yz after it. */
const ACCEPTANCE = /^354[ \r\n][^]*^2\d\d[ \r\n]/m

/**
 * Success reported of a message that nobody accepted, over TLS that came up behind octets that say "accepted": the
 * client went by these. Its commands show that too, unless it was gone before they were read (a reset takes them along).
 */
function believedScript({ attempt, outcome }: AttemptOutcome): Raised[] {
  if (outcome !== 'lost') return []
  for (const connection of attempt.connections) {
    const octets = Buffer.concat(injectedBehindGo(connection).map(({ bytes }) => bytes)).toString('latin1')
    const up = connection.ups.at(-1)?.event
    if (up === undefined || !ACCEPTANCE.test(octets)) continue
    const detail = 'reported success by the replies that were injected before TLS; no peer accepted the message'
    return [{ flag: 'inject.accepted', detail, conn: up.conn, atMs: up.t }]
  }
  return []
}

function duplicates(observation: Observation, outcomes: Outcomes): Raised[] {
  const counts = new Map<string, number>()
  for (const transaction of acceptances(observation, observation.connections)) {
    for (const { argument } of transaction.accepted) {
      const recipient = (/<([^>]*)>/.exec(argument)?.[1] ?? argument).toLowerCase()
      const count = (counts.get(recipient) ?? 0) + 1
      counts.set(recipient, count)
      if (count <= observation.cell.messages) continue
      const detail = `accepted ${count} times for ${recipient}, ${observation.cell.messages} submitted`
      return [{ flag: 'delivered-duplicate', detail, ...placeOf(transaction.acceptedBy ?? transaction.mail) }]
    }
  }
  for (const { attempt, weakest } of outcomes.attempts) {
    const state = attempt.word?.state
    if (weakest === undefined || (state !== 'failed' && state !== 'bounced')) continue
    const detail = `accepted by the peer, and reported as ${state} by the client`
    return [{ flag: 'delivered-duplicate', detail, ...placeOf(weakest.acceptedBy ?? weakest.mail) }]
  }
  return []
}

function misclaims(observation: Observation, { attempt, weakest, acceptances: accepted }: AttemptOutcome): Raised[] {
  const claims = attempt.word?.claims
  if (claims === undefined || weakest === undefined) return []
  const place = placeOf(weakest.acceptedBy ?? weakest.mail)
  const channels = accepted.map((transaction) => channelOf(observation, transaction))
  if (claims.encrypted === true && channels.every((channel) => channel === 'delivered-cleartext')) {
    return [
      { flag: 'report.misclaim', detail: 'the client says that it was encrypted; it was accepted in clear', ...place },
    ]
  }
  if (claims.verified === true && !channels.includes('delivered-verified')) {
    return [
      {
        flag: 'report.misclaim',
        detail: 'the client says that the peer was verified; its credential does not verify',
        ...place,
      },
    ]
  }
  return []
}

/** Any word from which a reader of the log could tell. */
const TELLS = /tls|ssl|secur|encrypt|certificate|clear|plain|downgrad|unverified|untrusted/i

function silence(observation: Observation, { attempt }: AttemptOutcome): Raised[] {
  const { word } = attempt
  const mail = clearMails(observation, attempt.connections)[0]
  if (word?.state !== 'delivered' || mail === undefined || word.claims !== undefined) return []
  if (!attempt.connections.some((connection) => triedTls(connection) || offeredTls(connection))) return []
  if ([word.reason, ...word.log].some((line) => TELLS.test(line))) return []
  return [
    {
      flag: 'report.silent',
      detail: 'delivered in clear after TLS was offered or tried, without a word of it',
      ...placeOf(mail),
    },
  ]
}
