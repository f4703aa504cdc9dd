/**
 * Names and numbers of SSL 3.0 (RFC 6101), TLS 1.0 (RFC 2246), TLS 1.1 (RFC 4346) and TLS 1.2 (RFC 5246).
 */

export const VERSION_NUMBERS = { SSLv3: 0x0300, TLSv1: 0x0301, 'TLSv1.1': 0x0302, 'TLSv1.2': 0x0303 } as const

/** As OpenSSL names them. */
export type VersionName = keyof typeof VERSION_NUMBERS

export const SSL3 = 0x0300
export const TLS10 = 0x0301
export const TLS11 = 0x0302
export const TLS12 = 0x0303

/** `TLSv1` for 0x0301; the number where it has no name. */
export function versionName(version: number): string {
  const found = Object.entries(VERSION_NUMBERS).find(([, number]) => number === version)
  return found?.[0] ?? `0x${version.toString(16).padStart(4, '0')}`
}

/** The content types of records, RFC 5246 §6.2.1; heartbeat is RFC 6520. */
export const CONTENT = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23, heartbeat: 24 } as const

/** The types of handshake messages, RFC 5246 §7.4; new_session_ticket is RFC 5077. */
const MESSAGE_TYPES = {
  'hello-request': 0,
  'client-hello': 1,
  'server-hello': 2,
  'new-session-ticket': 4,
  certificate: 11,
  'server-key-exchange': 12,
  'certificate-request': 13,
  'server-hello-done': 14,
  'certificate-verify': 15,
  'client-key-exchange': 16,
  finished: 20,
} as const

export type HandshakeName = keyof typeof MESSAGE_TYPES

/** A handshake message, or ChangeCipherSpec, which is none and travels among them. */
export type MessageName = HandshakeName | 'change-cipher-spec'

export function handshakeName(type: number): HandshakeName | undefined {
  const found = Object.entries(MESSAGE_TYPES).find(([, number]) => number === type)
  return found?.[0] as HandshakeName | undefined
}

/** A handshake message with its header of type and length. */
export function handshakeMessage(name: HandshakeName, body: Buffer): Buffer {
  const header = Buffer.alloc(4)
  header.writeUInt32BE(body.length)
  header[0] = MESSAGE_TYPES[name]
  return Buffer.concat([header, body])
}

/** Alert descriptions, RFC 5246 §7.2 and RFC 6066, by the names that OpenSSL gives them. */
export const ALERTS = {
  close_notify: 0,
  unexpected_message: 10,
  bad_record_mac: 20,
  record_overflow: 22,
  decompression_failure: 30,
  handshake_failure: 40,
  no_certificate: 41,
  bad_certificate: 42,
  unsupported_certificate: 43,
  certificate_revoked: 44,
  certificate_expired: 45,
  certificate_unknown: 46,
  illegal_parameter: 47,
  unknown_ca: 48,
  access_denied: 49,
  decode_error: 50,
  decrypt_error: 51,
  export_restriction: 60,
  protocol_version: 70,
  insufficient_security: 71,
  internal_error: 80,
  inappropriate_fallback: 86,
  user_canceled: 90,
  no_renegotiation: 100,
  unsupported_extension: 110,
  certificate_unobtainable: 111,
  unrecognized_name: 112,
  bad_certificate_status_response: 113,
} as const

export type AlertName = keyof typeof ALERTS

/** The name of an alert description, or its number as text. */
export function alertName(description: number): string {
  return Object.entries(ALERTS).find(([, number]) => number === description)?.[0] ?? String(description)
}

/** The client broke the protocol; `alert` is what it is told. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly alert: AlertName

  constructor(alert: AlertName, message: string) {
    super(message)
    this.alert = alert
  }
}
