/**
 * The flags `desync` and `resp.*`: which replies the client took for what. Pure. RFC 5321 §4.2, RFC 2920 §3.1, RFC 3207 §4.
 */
import { type Connection, goAhead, offerBefore, offersIn, replyFor } from './connection.ts'
import { clearMails, type Observation } from './observe.ts'
import { placeOf, printed, type Raised } from './raised.ts'
import type { Entry, ReplyEntry } from './transcript.ts'

export function replyFlags(observation: Observation): readonly Raised[] {
  return observation.connections.flatMap((connection) => [
    ...desync(connection),
    ...lenient(observation, connection),
    ...strict(observation, connection),
  ])
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
  const data = connection.commands.find(({ id }) => id === go?.answers)
  if (go === undefined || data === undefined) return []
  // It may have sent DATA along with MAIL, and turned away when it read the stray reply: then it is not out of step.
  if (offerBefore(connection, data)?.keywords.has('PIPELINING') === true) return []
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

function lenient({ cell }: Observation, connection: Connection): Raised[] {
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
    // The peer's own name may hold the word.
    .replaceAll(cell.domain, '')
  if (offer?.keywords.has('STARTTLS') !== true && /STARTTLS/i.test(text)) {
    raised.push({
      flag: 'resp.parse-lenient',
      detail: 'STARTTLS after an offer that breaks the grammar',
      ...placeOf(starttls),
    })
  }
  return raised
}

/**
 * A legal offer of STARTTLS that the client passed over, when its policy lets it use TLS. Not so where it took the offer of
 * this host before: it can read it, and has its reasons now.
 */
function strict(observation: Observation, connection: Connection): Raised[] {
  if (observation.cell.judgedAs === 'none') return []
  const offer = offersIn(connection, 'clear').find(({ keywords }) => keywords.has('STARTTLS'))
  if (offer === undefined || connection.commands.some(({ verb }) => verb === 'STARTTLS')) return []
  const took = observation.connections.some(
    ({ host, opened, commands }) =>
      host === connection.host &&
      opened.seq < connection.opened.seq &&
      commands.some(({ verb, layer }) => verb === 'STARTTLS' && layer === 'clear'),
  )
  if (took) return []
  const [mail] = clearMails(observation, [connection])
  const quit = connection.commands.find(({ verb, seq }) => verb === 'QUIT' && seq > offer.reply.seq)
  const passed = mail ?? quit
  if (passed === undefined) return []
  return [{ flag: 'resp.parse-strict', detail: `${passed.verb} after a legal offer of STARTTLS`, ...placeOf(passed) }]
}
