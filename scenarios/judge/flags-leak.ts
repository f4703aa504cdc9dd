/**
 * The flags `leak.*`: protected octets that crossed in clear, or went to a peer that had not proven its name. Pure.
 *
 * What always holds: canaries and content octets decide, not commands; what crossed has leaked whether or not the peer
 * accepted it. A trailing QUIT is no leak, and MAIL inside TLS is none in clear.
 */
import type { Sighting } from './canaries.ts'
import { replyFor } from './connection.ts'
import type { Flag } from './flag-table.ts'
import { isOurs, type Observation, type Observed } from './observe.ts'
import { placeOf, type Raised } from './raised.ts'
import type { CommandEntry, Layer } from './transcript.ts'

const CLEAR: Readonly<Record<string, Flag>> = {
  sender: 'leak.envelope-clear',
  recipient: 'leak.envelope-clear',
  subject: 'leak.content-clear',
  body: 'leak.content-clear',
  password: 'leak.credentials-clear',
}

const UNAUTHENTICATED: Readonly<Record<string, Flag>> = {
  sender: 'leak.envelope-unauth',
  recipient: 'leak.envelope-unauth',
  subject: 'leak.content-unauth',
  body: 'leak.content-unauth',
  password: 'leak.credentials-unauth',
}

/** SASL mechanisms whose response is made from the password without holding it. */
const HASHES = /^(CRAM-MD5|DIGEST-MD5|NTLM|SCRAM-[A-Z0-9-]+|APOP)$/

export function leaks(observation: Observation): readonly Raised[] {
  return observation.connections.flatMap((connection) => [
    ...sightingLeaks(observation, connection),
    ...contentLeaks(observation, connection),
    ...hashLeaks(connection),
    ...clientCertificates(connection),
    ...heloNames(connection),
  ])
}

/** A TLS session without encryption is clear. */
function isClear(connection: Observed, layer: Layer): boolean {
  return layer === 'clear' || (connection.ups.length > 0 && connection.credential.kind === 'clear')
}

function sightingLeaks(observation: Observation, connection: Observed): Raised[] {
  const raised = new Map<Flag, Raised>()
  for (const sighting of connection.sightings) {
    const flag = flagOf(observation, connection, sighting)
    if (flag === undefined || raised.has(flag)) continue
    const where = isClear(connection, sighting.layer)
      ? 'in clear'
      : `inside TLS to a peer that is not verified (${connection.credential.reason})`
    const form = sighting.form === 'plain' || sighting.form === 'elided' ? '' : `, as ${sighting.form}`
    raised.set(flag, { flag, detail: `the ${sighting.name} canary ${where}${form}`, ...placeOf(sighting) })
  }
  return [...raised.values()]
}

function flagOf(observation: Observation, connection: Observed, sighting: Sighting): Flag | undefined {
  const { name, layer } = sighting
  if (isClear(connection, layer)) {
    return name === 'password' || observation.forbidsClear ? CLEAR[name] : undefined
  }
  if (connection.credential.kind === 'verified') return undefined
  return name === 'password' || observation.requiresVerified ? UNAUTHENTICATED[name] : undefined
}

/** Content in clear that holds no canary (yet): a DATA that was cut short. */
function contentLeaks(observation: Observation, connection: Observed): Raised[] {
  if (!observation.forbidsClear) return []
  const known = connection.sightings.some(
    ({ name, layer }) => isClear(connection, layer) && (name === 'subject' || name === 'body'),
  )
  if (known) return []
  for (const transaction of connection.transactions) {
    if (!isClear(connection, transaction.layer) || !isOurs(observation, transaction)) continue
    const first = transaction.content.find(({ bytes }) =>
      bytes.some((octet) => octet !== 0x2e && octet !== 0x0d && octet !== 0x0a),
    )
    if (first === undefined) continue
    const octets = transaction.content.reduce((sum, { bytes }) => sum + bytes.length, 0)
    return [{ flag: 'leak.content-clear', detail: `${octets} octets of content in clear`, ...placeOf(first) }]
  }
  return []
}

function hashLeaks(connection: Observed): Raised[] {
  for (const command of connection.commands) {
    if (command.verb !== 'AUTH' || !isClear(connection, command.layer)) continue
    const mechanism = command.argument.split(/\s/)[0]?.toUpperCase() ?? ''
    const response = connection.entries.find(
      (entry) => entry.kind === 'content' && entry.id === command.id && provesPassword(mechanism, entry.bytes),
    )
    if (!HASHES.test(mechanism) || response === undefined) continue
    return [{ flag: 'leak.credentials-hash', detail: `a response of ${mechanism} in clear`, ...placeOf(response) }]
  }
  return []
}

/** The first messages of SCRAM and NTLM name the user at most; `*` cancels (RFC 4954 §4). */
function provesPassword(mechanism: string, line: Buffer): boolean {
  const text = line.toString('latin1').trim()
  if (text.length <= 1) return false
  const message = Buffer.from(text, 'base64')
  if (mechanism.startsWith('SCRAM-')) return /(^|,)p=/.test(message.toString('latin1'))
  if (mechanism === 'NTLM') return message[8] === 3
  return true
}

function clientCertificates(connection: Observed): Raised[] {
  const sent = connection.ups.find(({ event }) => event.clientChain.length > 0)?.event
  if (sent === undefined) return []
  const old = sent.version !== 'TLSv1.3'
  if (connection.credential.kind === 'verified' && !old) return []
  const detail = old
    ? `a client certificate in ${sent.version}, where it is not encrypted`
    : `a client certificate to a peer that is not verified (${connection.credential.reason})`
  return [{ flag: 'leak.client-cert', detail, conn: sent.conn, atMs: sent.t }]
}

function heloNames(connection: Observed): Raised[] {
  const last = (layer: Layer): CommandEntry | undefined =>
    connection.commands.findLast(
      (command) =>
        command.layer === layer &&
        ['EHLO', 'HELO'].includes(command.verb) &&
        replyFor(connection, command) !== undefined,
    )
  const outside = last('clear')
  const inside = last('tls')
  if (outside === undefined || inside === undefined || outside.argument === inside.argument) return []
  const detail = `${outside.verb} ${outside.argument} outside TLS, ${inside.verb} ${inside.argument} inside`
  return [{ flag: 'leak.helo-name', detail, ...placeOf(inside) }]
}
