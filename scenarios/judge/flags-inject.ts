/**
 * The flags `inject.*`: octets from before TLS that changed what the client did inside it. Pure.
 *
 * RFC 3207 §4.2. `inject.accepted` is decided by the withheld EHLO reply (catalogue §3.5): a command that comes while it is
 * withheld, QUIT apart, was prompted by a reply that the server never gave.
 */
import { replyLines } from '../../peers/wire/units.ts'
import { type Connection, type Offer, offerBefore, offersIn, replyFor } from './connection.ts'
import { injectedBehindGo } from './flags-downgrade.ts'
import type { Observation } from './observe.ts'
import { placeOf, type Raised } from './raised.ts'
import type { CommandEntry } from './transcript.ts'

/** The behaviour that withholds the EHLO reply inside TLS: it fires when it begins and, `released …`, when it ends. */
export const WITHHOLDING = 'withhold-ehlo-reply'

export function injectFlags(observation: Observation): readonly Raised[] {
  return observation.connections.flatMap((connection) => [
    ...acceptedInjection(observation, connection),
    ...partialInjection(connection),
  ])
}

/**
 * The commands that came after the EHLO whose reply was withheld and before that reply was released, also in the same
 * segment as the EHLO; undefined when none was withheld on this connection.
 */
export function hastyCommands(observation: Observation, connection: Connection): readonly CommandEntry[] | undefined {
  const fired = observation.proof.filter(
    ({ event }) => event.type === 'fired' && event.behaviour === WITHHOLDING && event.conn === connection.conn,
  )
  const begun = fired.find(({ event }) => !event.detail.startsWith('released'))
  if (begun === undefined) return undefined
  const until =
    fired.find(({ event, seq }) => seq > begun.seq && event.detail.startsWith('released'))?.seq ??
    Number.POSITIVE_INFINITY
  const inside = connection.commands.filter(({ layer, seq }) => layer === 'tls' && seq < until)
  const greeting = inside.findIndex(({ verb }) => verb === 'EHLO' || verb === 'HELO')
  return inside.slice(greeting + 1).filter(({ verb }) => verb !== 'QUIT' && verb !== '')
}

function acceptedInjection(observation: Observation, connection: Connection): Raised[] {
  const hasty = hastyCommands(observation, connection) ?? []
  const [first] = hasty
  if (first === undefined) return []
  const verbs = hasty.map(({ verb }) => verb).join(', ')
  return [
    {
      flag: 'inject.accepted',
      detail: `sent ${verbs} while the reply to EHLO inside TLS was withheld`,
      ...placeOf(first),
    },
  ]
}

/**
 * AUTH inside TLS with a mechanism that was offered only before TLS: by the EHLO reply in clear, or by what was injected.
 * A client that guesses a mechanism which nobody offered at all has not believed anything; PLAIN, which clients try
 * unasked, proves nothing even where it was offered before.
 */
export function authCarriedOver(
  connection: Connection,
): { readonly command: CommandEntry; readonly mechanism: string } | undefined {
  const before = [...offersIn(connection, 'clear').flatMap(mechanisms), ...injectedMechanisms(connection)]
  for (const command of connection.commands) {
    if (command.verb !== 'AUTH' || command.layer !== 'tls') continue
    const offer = offerBefore(connection, command)
    if (offer === undefined) continue
    const mechanism = command.argument.split(/\s/)[0]?.toUpperCase() ?? ''
    if (mechanism === 'PLAIN' || mechanisms(offer).includes(mechanism)) continue
    if (before.includes(mechanism)) return { command, mechanism }
  }
  return undefined
}

/** RFC 4954 §3, and the old form `AUTH=PLAIN LOGIN`. */
export function mechanisms(offer: Offer): string[] {
  const old = replyLines(offer.reply)
    .filter((line) => /^AUTH=/i.test(line))
    .flatMap((line) => line.slice(5).split(' '))
  return [...(offer.keywords.get('AUTH') ?? []), ...old].map((word) => word.toUpperCase())
}

/** What octets behind the 220 offer, whole lines or not. */
function injectedMechanisms(connection: Connection): string[] {
  const text = injectedBehindGo(connection)
    .map(({ bytes }) => bytes.toString('latin1'))
    .join('')
  return [...text.matchAll(/AUTH[ =]([^\r\n]*)/gi)].flatMap(([, words = '']) => words.trim().toUpperCase().split(/\s+/))
}

/** MAIL inside TLS although the greeting before it was refused there (RFC 5321 §4.1.4). */
export function mailAfterRefusedGreeting(connection: Connection): CommandEntry | undefined {
  const inside = connection.commands.filter(({ layer }) => layer === 'tls')
  return inside.find((command) => {
    if (command.verb !== 'MAIL') return false
    const greeting = inside.findLast(({ verb, seq }) => ['EHLO', 'HELO', 'LHLO'].includes(verb) && seq < command.seq)
    const reply = greeting === undefined ? undefined : replyFor(connection, greeting)
    return reply !== undefined && reply.code >= 400 && reply.seq < command.seq
  })
}

function partialInjection(connection: Connection): Raised[] {
  if (injectedBehindGo(connection).length === 0) return []
  const auth = authCarriedOver(connection)
  if (auth !== undefined) {
    const detail = `AUTH ${auth.mechanism} inside TLS, which only octets from before TLS had offered`
    return [{ flag: 'inject.partial', detail, ...placeOf(auth.command) }]
  }
  const mail = mailAfterRefusedGreeting(connection)
  if (mail === undefined) return []
  const detail = 'MAIL inside TLS after EHLO was refused there, after octets were injected before TLS'
  return [{ flag: 'inject.partial', detail, ...placeOf(mail) }]
}
