/**
 * The flags `downgrade.*`: MAIL of this message in clear where TLS had been offered or tried before. Pure.
 *
 * RFC 7435 §3 and §4: an opportunistic client may go clear where TLS cannot be had, but not because a certificate did not
 * please it; one that was told to encrypt may never.
 */
import type { TlsFailed } from '../../peers/events.ts'
import { type Connection, goAhead, offeredTls, offersIn, replyFor, triedTls } from './connection.ts'
import { type Attempt, clearMails, messagesOf, type Observation } from './observe.ts'
import { placeOf, type Raised } from './raised.ts'
import { spell } from './schedule.ts'
import type { CommandEntry, Entry, Placed } from './transcript.ts'

/** Alerts by which a client refuses a certificate, RFC 8446 §6.2 and RFC 5246 §7.2.2. */
const CERTIFICATE_ALERTS: ReadonlySet<string> = new Set([
  'bad_certificate',
  'unsupported_certificate',
  'certificate_revoked',
  'certificate_expired',
  'certificate_unknown',
  'unknown_ca',
  'bad_certificate_status_response',
])

/** True for an alert that refuses a certificate, in the RFC's words or in OpenSSL's (`unknown ca`). */
export function refusesCertificate(failure: TlsFailed): boolean {
  return failure.alert !== undefined && CERTIFICATE_ALERTS.has(failure.alert.toLowerCase().replaceAll(' ', '_'))
}

export function downgrades(observation: Observation): readonly Raised[] {
  if (observation.cell.judgedAs !== 'may' && !observation.forbidsClear) return []
  const mails = clearMails(observation, observation.connections)
  return [
    ...observation.connections.flatMap((connection) => onSameConnection(observation, connection)),
    ...messagesOf(observation).flatMap((attempts) => acrossConnections(observation, attempts)),
    ...after(
      mails,
      refusals(observation),
      'downgrade.after-cert-failure',
      'MAIL in clear after the client refused the certificate',
    ),
    ...after(
      mails,
      injections(observation),
      'downgrade.after-injection',
      'MAIL in clear after octets were injected behind the 220',
    ),
    ...versionDance(observation),
  ]
}

function onSameConnection(observation: Observation, connection: Connection): Raised[] {
  const mail = clearMails(observation, [connection])[0]
  if (mail === undefined) return []
  const offered = offersIn(connection, 'clear').find(
    ({ reply, keywords }) => reply.seq < mail.seq && keywords.has('STARTTLS'),
  )
  const tried = connection.entries.find(
    (entry) =>
      entry.seq < mail.seq &&
      ((entry.kind === 'command' && entry.verb === 'STARTTLS') || (entry.kind === 'tls' && entry.state === 'hello')),
  )
  if (offered === undefined && tried === undefined) return []
  const detail =
    tried === undefined ? 'MAIL in clear although STARTTLS was offered' : 'MAIL in clear after TLS was tried'
  return [{ flag: 'downgrade.same-connection', detail, ...placeOf(mail) }]
}

function acrossConnections(observation: Observation, attempts: readonly Attempt[]): Raised[] {
  const raised: Raised[] = []
  attempts.forEach((attempt, at) => {
    const mail = clearMails(observation, attempt.connections)[0]
    if (mail === undefined) return
    const until = attempt.connections.findIndex(({ conn }) => conn === mail.conn)
    const before = attempt.connections.slice(0, until + 1)
    const [earlier, own] = [before.slice(0, -1), before.at(-1)]
    const safe = earlier.findLast((connection) => triedTls(connection) || offeredTls(connection))
    if (safe !== undefined) {
      const where = safe.host === own?.host ? '' : ` to ${own?.host}, after TLS was offered or tried at ${safe.host}`
      const detail = `MAIL in clear on a new connection of the same attempt${where}`
      raised.push({ flag: 'downgrade.immediate', detail, ...placeOf(mail) })
    }
    const wasSafe = attempts
      .slice(0, at)
      .some(
        ({ connections }) =>
          clearMails(observation, connections).length === 0 &&
          connections.some((connection) => triedTls(connection) || offeredTls(connection)),
      )
    if (wasSafe) {
      const age = attempt.word?.ageSeconds
      const old = age === undefined ? '' : `, when the message was ${spell(age)} old`
      const again = before.some(triedTls) ? 'TLS was tried again first' : 'TLS was not tried again'
      const detail = `MAIL in clear in attempt ${at + 1} (${attempt.cause})${old}; ${again}`
      raised.push({ flag: 'downgrade.delayed', detail, ...placeOf(mail) })
    }
    const helo = heloInsteadOfEhlo(before, mail)
    if (helo !== undefined) raised.push({ flag: 'downgrade.helo', detail: helo, ...placeOf(mail) })
  })
  return raised
}

function heloInsteadOfEhlo(before: readonly Connection[], mail: CommandEntry): string | undefined {
  const own = before.find(({ conn }) => conn === mail.conn)
  const helo = own?.commands.find(({ verb, layer, seq }) => verb === 'HELO' && layer === 'clear' && seq < mail.seq)
  if (helo === undefined) return undefined
  for (const connection of before) {
    for (const command of connection.commands) {
      if (command.verb !== 'EHLO' || command.seq >= helo.seq) continue
      const reply = replyFor(connection, command)
      if (reply === undefined) return 'HELO after EHLO got no answer, then MAIL in clear'
      if (reply.code !== 250) return `HELO after EHLO was answered ${reply.code}, then MAIL in clear`
    }
  }
  return undefined
}

interface Cause {
  readonly seq: number
  readonly detail: string
}

function after(mails: readonly CommandEntry[], causes: readonly Cause[], flag: Raised['flag'], what: string): Raised[] {
  for (const mail of mails) {
    const cause = causes.find(({ seq }) => seq < mail.seq)
    if (cause !== undefined) return [{ flag, detail: `${what} (${cause.detail})`, ...placeOf(mail) }]
  }
  return []
}

function refusals(observation: Observation): Cause[] {
  return observation.connections
    .flatMap(({ failures }): readonly Placed<TlsFailed>[] => failures)
    .filter(({ event }) => refusesCertificate(event))
    .map(({ event, seq }) => ({ seq, detail: `alert ${event.alert}` }))
}

function injections(observation: Observation): Cause[] {
  return observation.connections.flatMap((connection) =>
    injectedBehindGo(connection)
      .slice(0, 1)
      .map(({ seq, bytes }) => ({ seq, detail: `${bytes.length} octets` })),
  )
}

/** What left for the client with the 220 to STARTTLS, behind it, where TLS was to begin next. */
export function injectedBehindGo(connection: Connection): Entry[] {
  const go = goAhead(connection)
  if (go === undefined || !connection.entries.some(({ kind }) => kind === 'tls')) return []
  return connection.entries.filter(
    (entry) =>
      entry.from === 'peer' &&
      entry.layer === 'clear' &&
      entry.offset > go.offset &&
      isInjected(entry, go.seq, connection),
  )
}

function isInjected(entry: Entry, goSeq: number, connection: Connection): boolean {
  if (entry.kind === 'reply') return entry.seq === goSeq
  // An unfinished line shows only when its layer ends; it came with the 220 if nothing else went out in clear since.
  const ends = [goSeq, connection.ups[0]?.seq, connection.closed?.seq]
  return entry.kind === 'bytes' && entry.what === 'text' && ends.includes(entry.seq)
}

function versionDance(observation: Observation): Raised[] {
  const highest = new Map<string, number>()
  for (const connection of observation.connections) {
    for (const { event } of connection.hellos) {
      if (event.hello.format === 'none') continue
      const offered = Math.max(
        event.hello.legacyVersion,
        ...event.hello.versions.filter((version) => (version & 0x0f0f) !== 0x0a0a),
      )
      const before = highest.get(connection.host)
      if (before !== undefined && offered < before) {
        const detail = `a ClientHello up to ${versionName(offered)} after one up to ${versionName(before)}`
        return [{ flag: 'downgrade.version-dance', detail, conn: event.conn, atMs: event.t }]
      }
      highest.set(connection.host, Math.max(before ?? 0, offered))
    }
  }
  return []
}

function versionName(version: number): string {
  const minor = version - 0x0301
  return minor < 0 ? 'SSL 3.0' : `TLS 1.${minor}`
}
