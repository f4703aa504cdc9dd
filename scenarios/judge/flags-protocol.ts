/**
 * The flags of the SMTP dialogue: `inject.*`, `protocol.*`, `desync`, `resp.*`. Pure.
 *
 * RFC 3207 §4 and §4.2, RFC 5321 §4.2, RFC 2920 §3.1. `inject.accepted` is decided by the withheld EHLO reply (catalogue
 * §3.5): a command that comes while it is withheld, QUIT apart, was prompted by a reply that the server never gave.
 */
import { replyLines } from '../../peers/wire/units.ts'
import { type Connection, goAhead, type Offer, offerBefore, offersIn, replyFor } from './connection.ts'
import { placeOf, type Raised } from './raised.ts'
import { injectedBehindGo } from './flags-downgrade.ts'
import { clearMails, type Observation } from './observe.ts'
import type { CommandEntry, Entry, ReplyEntry } from './transcript.ts'

/** The behaviour that withholds the EHLO reply inside TLS: it fires when it begins and, `released …`, when it ends. */
export const WITHHOLDING = 'withhold-ehlo-reply'

export function protocolFlags(observation: Observation): readonly Raised[] {
  return observation.connections.flatMap((connection) => [
    ...acceptedInjection(observation, connection),
    ...partialInjection(connection),
    ...aroundGo(connection),
    ...insideTls(connection),
    ...desync(connection),
    ...lenient(connection),
    ...strict(observation, connection),
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
function mechanisms(offer: Offer): string[] {
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

/** Commands of the client in clear after the 220 to STARTTLS and before TLS came up, QUIT apart. */
export function commandsAfterGo(connection: Connection): readonly CommandEntry[] {
  const go = goAhead(connection)
  const up = connection.ups[0]?.seq ?? Number.POSITIVE_INFINITY
  if (go === undefined) return []
  return connection.commands.filter(
    ({ layer, seq, verb }) => layer === 'clear' && seq > go.seq && seq < up && verb !== 'QUIT' && verb !== '',
  )
}

function aroundGo(connection: Connection): Raised[] {
  const raised: Raised[] = []
  const [after] = commandsAfterGo(connection)
  if (after !== undefined) {
    raised.push({
      flag: 'protocol.command-after-220',
      detail: `${printed(after.verb)} in clear after the 220`,
      ...placeOf(after),
    })
  }
  for (const command of connection.commands) {
    if (command.verb !== 'STARTTLS' || command.layer !== 'clear') continue
    const reply = replyFor(connection, command)
    const between = connection.entries.find(
      (entry) =>
        entry.from === 'client' &&
        entry.layer === 'clear' &&
        entry.kind !== 'eof' &&
        entry.kind !== 'tls' &&
        entry.offset > command.offset &&
        entry.seq < (reply?.seq ?? -1) &&
        !(entry.kind === 'command' && entry.verb === 'QUIT'),
    )
    if (between !== undefined) {
      const what =
        between.kind === 'bytes' && between.what === 'tls-records' ? 'TLS records' : `${between.bytes.length} octets`
      const detail = `${what} after STARTTLS before its reply`
      raised.push({ flag: 'protocol.pipelined-after-starttls', detail, ...placeOf(between) })
    }
  }
  return raised
}

function insideTls(connection: Connection): Raised[] {
  const inside = connection.commands.filter(({ layer }) => layer === 'tls')
  const raised: Raised[] = []
  const [first] = inside
  if (
    first !== undefined &&
    !connection.opened.event.tlsOnConnect &&
    !['EHLO', 'HELO', 'LHLO', 'QUIT'].includes(first.verb)
  ) {
    raised.push({
      flag: 'protocol.no-second-ehlo',
      detail: `the first command inside TLS is ${printed(first.verb)}`,
      ...placeOf(first),
    })
  }
  const again = inside.find(({ verb }) => verb === 'STARTTLS')
  if (again !== undefined)
    raised.push({ flag: 'protocol.second-starttls', detail: 'STARTTLS inside TLS', ...placeOf(again) })
  const used = usedPreTls(connection)
  if (used !== undefined) {
    const detail = `${used.keyword} inside TLS, offered only before it`
    raised.push({ flag: 'protocol.used-pretls-caps', detail, ...placeOf(used.command) })
  }
  return raised
}

/** The service extension that a command rests on, by its verb or a parameter of MAIL or RCPT. */
const RESTS_ON: readonly (readonly [RegExp, string])[] = [
  [/^MAIL .*\sSIZE=/i, 'SIZE'],
  [/^MAIL .*\sBODY=8BITMIME/i, '8BITMIME'],
  [/^MAIL .*\sSMTPUTF8(\s|$)/i, 'SMTPUTF8'],
  [/^MAIL .*\sREQUIRETLS(\s|$)/i, 'REQUIRETLS'],
  [/^(MAIL .*\s(RET|ENVID)=|RCPT .*\s(NOTIFY|ORCPT)=)/i, 'DSN'],
  [/^BDAT /i, 'CHUNKING'],
]

/** A command inside TLS that uses what had been offered only before it (RFC 3207 §4.2). */
function usedPreTls(connection: Connection): { readonly command: CommandEntry; readonly keyword: string } | undefined {
  const outside = offersIn(connection, 'clear').at(-1)
  if (outside === undefined) return undefined
  for (const command of connection.commands) {
    const inside = command.layer === 'tls' ? offerBefore(connection, command) : undefined
    if (inside === undefined) continue
    const line = `${command.verb} ${command.argument}`
    for (const [pattern, keyword] of RESTS_ON) {
      if (pattern.test(line) && outside.keywords.has(keyword) && !inside.keywords.has(keyword))
        return { command, keyword }
    }
    if (isPipelined(connection, command) && outside.keywords.has('PIPELINING') && !inside.keywords.has('PIPELINING')) {
      return { command, keyword: 'PIPELINING' }
    }
    const mechanism = command.argument.split(/\s/)[0]?.toUpperCase() ?? ''
    if (command.verb === 'AUTH' && mechanisms(outside).includes(mechanism) && !mechanisms(inside).includes(mechanism)) {
      return { command, keyword: `AUTH ${mechanism}` }
    }
  }
  return undefined
}

/** It came while the command before it still wanted its reply. */
function isPipelined(connection: Connection, command: CommandEntry): boolean {
  const before = connection.commands.find(({ id }) => id === command.behind)
  return before !== undefined && before.layer === command.layer && command.verb !== 'QUIT'
}

/** Commands after which no other may be sent before their reply, RFC 2920 §3.1. */
const ENDS_GROUP: ReadonlySet<string> = new Set([
  'EHLO',
  'HELO',
  'LHLO',
  'STARTTLS',
  'DATA',
  'AUTH',
  'NOOP',
  'VRFY',
  'EXPN',
])

/**
 * A reply that nobody asked for lay there, and the client went on as if it had answered: it sent a command without waiting
 * for the reply to the one before, or turned away at the 354 that it had asked for.
 */
export function desync(connection: Connection): Raised[] {
  const stray = connection.replies.find(
    (reply) => reply.answers === null && reply.code !== 421 && !isBehindGo(connection, reply),
  )
  if (stray === undefined) return []
  for (const command of connection.commands) {
    if (command.layer !== stray.layer || command.verb === 'QUIT') continue
    const before = connection.commands.find(({ id }) => id === command.behind)
    if (before === undefined || before.seq <= stray.seq || before.seq === command.seq) continue
    const mayPipeline =
      offerBefore(connection, command)?.keywords.has('PIPELINING') === true && !ENDS_GROUP.has(before.verb)
    if (mayPipeline) continue
    const detail = `${printed(command.verb)} before the reply to ${printed(before.verb)}, with ${stray.code} unasked before it`
    return [{ flag: 'desync', detail, ...placeOf(command) }]
  }
  return turnedAway(connection, stray)
}

function turnedAway(connection: Connection, stray: ReplyEntry): Raised[] {
  const go = connection.replies.find(
    ({ code, interim, seq, layer }) => code === 354 && interim && seq > stray.seq && layer === stray.layer,
  )
  if (go === undefined) return []
  const content = connection.entries.filter((entry) => entry.kind === 'content' && entry.id === go.answers)
  const text = Buffer.concat(content.map(({ bytes }) => bytes)).toString('latin1')
  if (!/^((QUIT|RSET)\r\n)*$/i.test(text) || connection.closed?.event.by !== 'client') return []
  return [{ flag: 'desync', detail: `turned away at the 354, with ${stray.code} unasked before it`, ...placeOf(go) }]
}

function isBehindGo(connection: Connection, reply: ReplyEntry): boolean {
  const go = goAhead(connection)
  return go !== undefined && reply.layer === 'clear' && reply.seq >= go.seq
}

/** TLS records of the client in a layer that nobody terminated, or a ClientHello. */
export function handshakes(connection: Connection): readonly Entry[] {
  return connection.entries.filter(
    (entry) =>
      (entry.kind === 'tls' && entry.state === 'hello' && entry.detail !== 'no ClientHello') ||
      (entry.kind === 'bytes' && entry.what === 'tls-records' && entry.from === 'client'),
  )
}

/** A TLS handshake that no 220 had asked for: after another reply to STARTTLS, or before there was any. */
export function handshakeWithoutGo(connection: Connection): string | undefined {
  const asked = connection.commands.findLast(({ verb, layer }) => verb === 'STARTTLS' && layer === 'clear')
  if (asked === undefined) return undefined
  const [hello] = handshakes(connection).filter(({ seq }) => seq >= asked.seq)
  if (hello === undefined) return undefined
  const reply = replyFor(connection, asked)
  if (reply === undefined || reply.seq > hello.seq) return 'began TLS before STARTTLS was answered'
  if (reply.code !== 220) return `began TLS after STARTTLS was answered ${reply.code}`
  return agrees(reply) ? undefined : 'began TLS after a reply whose lines disagree'
}

function agrees(reply: ReplyEntry): boolean {
  const codes = reply.bytes
    .toString('latin1')
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map((line) => line.slice(0, 3))
  return new Set(codes).size === 1
}

function lenient(connection: Connection): Raised[] {
  const raised: Raised[] = []
  const began = handshakeWithoutGo(connection)
  const [hello] = handshakes(connection)
  if (began !== undefined && hello !== undefined)
    raised.push({ flag: 'resp.parse-lenient', detail: began, ...placeOf(hello) })
  const starttls = connection.commands.find(({ verb, layer }) => verb === 'STARTTLS' && layer === 'clear')
  if (starttls === undefined) return raised
  const offer = offerBefore(connection, starttls)
  const text = connection.entries
    .filter((entry) => entry.from === 'peer' && entry.layer === 'clear' && entry.seq < starttls.seq)
    .map(({ bytes }) => bytes.toString('latin1'))
    .join('')
  if (offer?.keywords.has('STARTTLS') !== true && /STARTTLS/i.test(text)) {
    raised.push({
      flag: 'resp.parse-lenient',
      detail: 'STARTTLS after an offer that breaks the grammar',
      ...placeOf(starttls),
    })
  }
  return raised
}

/** A legal offer of STARTTLS that the client passed over, when its policy lets it use TLS. */
function strict(observation: Observation, connection: Connection): Raised[] {
  if (observation.cell.judgedAs === 'none') return []
  const offer = offersIn(connection, 'clear').find(({ keywords }) => keywords.has('STARTTLS'))
  if (offer === undefined || connection.commands.some(({ verb }) => verb === 'STARTTLS')) return []
  const [mail] = clearMails(observation, [connection])
  const quit = connection.commands.find(({ verb, seq }) => verb === 'QUIT' && seq > offer.reply.seq)
  const passed = mail ?? quit
  if (passed === undefined) return []
  return [{ flag: 'resp.parse-strict', detail: `${passed.verb} after a legal offer of STARTTLS`, ...placeOf(passed) }]
}

/** A verb as it can stand in a report. */
export function printed(verb: string): string {
  return /^[A-Z]{2,12}$/.test(verb) ? verb : 'a line that is no command'
}
