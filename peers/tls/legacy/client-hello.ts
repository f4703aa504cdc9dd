/** What the engine needs of a ClientHello: RFC 5246 §7.4.1.2, and the SSLv2 format (RFC 6101 appendix E.2). Pure. */
import { Cursor } from './cursor.ts'
import { ProtocolError } from './protocol.ts'

export interface ClientHello {
  readonly format: 'tls' | 'sslv2'
  /** The highest version that the client has, or says to have. */
  readonly version: number
  readonly random: Buffer
  readonly sessionId: Buffer
  readonly suites: readonly number[]
  readonly extensions: ReadonlyMap<number, Buffer>
}

export const EXTENSION = {
  serverName: 0,
  supportedGroups: 10,
  pointFormats: 11,
  signatureAlgorithms: 13,
  sessionTicket: 35,
  renegotiationInfo: 0xff01,
} as const

/** TLS_EMPTY_RENEGOTIATION_INFO_SCSV, RFC 5746 §3.3. */
const RENEGOTIATION_SCSV = 0x00ff

const NONE: Buffer = Buffer.alloc(0)

/** @throws {ProtocolError} */
export function parseClientHello(body: Buffer): ClientHello {
  const cursor = new Cursor(body, 'ClientHello')
  const version = cursor.number(2)
  const random = cursor.take(32)
  const sessionId = cursor.vector(1)
  const suites = numbers(cursor.vector(2), 2)
  const compression = cursor.vector(1)
  if (sessionId.length > 32) throw new ProtocolError('decode_error', 'ClientHello: a session id of over 32 octets')
  if (!compression.includes(0)) throw new ProtocolError('illegal_parameter', 'ClientHello: without null compression')
  const extensions = new Map<number, Buffer>()
  if (cursor.left > 0) {
    const list = new Cursor(cursor.vector(2), 'ClientHello extensions')
    while (list.left > 0) extensions.set(list.number(2), list.vector(2))
  }
  return { format: 'tls', version, random, sessionId, suites, extensions }
}

/** `message` begins with the message type. @throws {ProtocolError} */
export function parseSslv2Hello(message: Buffer): ClientHello {
  const cursor = new Cursor(message, 'ClientHello of SSLv2')
  cursor.number(1)
  const version = cursor.number(2)
  const [specs, session, challenge] = [cursor.number(2), cursor.number(2), cursor.number(2)]
  const suites = numbers(cursor.take(specs), 3).filter((kind) => kind <= 0xffff)
  const sessionId = cursor.take(session)
  const given = cursor.take(challenge)
  if (challenge < 16 || challenge > 32) throw new ProtocolError('decode_error', 'ClientHello of SSLv2: challenge')
  // Right-justified, zeros in front.
  const random = Buffer.concat([Buffer.alloc(32 - challenge), given])
  return { format: 'sslv2', version, random, sessionId, suites, extensions: new Map() }
}

function numbers(octets: Buffer, size: 2 | 3): number[] {
  const list: number[] = []
  for (let at = 0; at + size <= octets.length; at += size) list.push(octets.readUIntBE(at, size))
  return list
}

/** Two-octet numbers of an extension that is one vector of them; none where the client did not send it. */
export function listOf(hello: ClientHello, extension: number): readonly number[] {
  const content = hello.extensions.get(extension)
  return content === undefined ? [] : numbers(new Cursor(content, `extension ${extension}`).vector(2), 2)
}

/** How the client says that it has RFC 5746: its verify data (empty in a first handshake), or undefined for not at all. */
export function renegotiationOf(hello: ClientHello): Buffer | undefined {
  const content = hello.extensions.get(EXTENSION.renegotiationInfo)
  if (content !== undefined) return new Cursor(content, 'renegotiation_info').vector(1)
  return hello.suites.includes(RENEGOTIATION_SCSV) ? NONE : undefined
}

/** `session_ticket`: what the client holds, empty where it only has the extension; undefined where it has not. */
export function ticketOf(hello: ClientHello): Buffer | undefined {
  return hello.extensions.get(EXTENSION.sessionTicket)
}
