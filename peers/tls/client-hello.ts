/**
 * Reads a ClientHello from the first octets of a TLS connection, whole, however records and handshake messages split it:
 * TLS 1.0 to 1.3 (RFC 8446 §4.1.2, §5.1), SSL 3.0 (RFC 6101) and the SSLv2 format (RFC 6101 appendix E; RFC 6176 forbids
 * sending it). Pure.
 */
import type { HelloSeen } from '../events.ts'
import type { SessionOffer } from '../wire/units.ts'

export type HelloReading =
  /** More octets are needed. */
  | { readonly state: 'more' }
  /** These octets are no ClientHello. */
  | { readonly state: 'none' }
  | { readonly state: 'hello'; readonly hello: HelloSeen }

/** A ClientHello is never longer here: 64 KiB is what four records of the largest size hold. */
const LIMIT = 64 * 1024

/** Reads from the start of `octets`; call again with more when it says so. Never throws. */
export function readClientHello(octets: Buffer): HelloReading {
  if (octets.length === 0) return { state: 'more' }
  if (octets[0] === 0x16) return readRecords(octets)
  if (((octets[0] ?? 0) & 0x80) !== 0) return readSslv2(octets)
  return { state: 'none' }
}

function readRecords(octets: Buffer): HelloReading {
  const parts: Buffer[] = []
  let have = 0
  let at = 0
  while (at < octets.length) {
    if (octets[at] !== 0x16) return { state: 'none' }
    if (octets.length < at + 2) return { state: 'more' }
    if (octets[at + 1] !== 3) return { state: 'none' }
    if (octets.length < at + 5) return { state: 'more' }
    const length = octets.readUInt16BE(at + 3)
    if (length === 0 || length > 0x4000) return { state: 'none' }
    const piece = octets.subarray(at + 5, at + 5 + length)
    parts.push(piece)
    have += piece.length
    if (have >= 1 && parts[0]?.[0] !== 1) return { state: 'none' }
    if (have >= 4) {
      const message = Buffer.concat(parts)
      const wanted = 4 + message.readUIntBE(1, 3)
      if (wanted > LIMIT) return { state: 'none' }
      if (have >= wanted) return readBody(message.subarray(4, wanted), octets.readUInt16BE(1))
    }
    at += 5 + length
  }
  return { state: 'more' }
}

/** A cursor that remembers when it ran over the end instead of throwing. */
class Cursor {
  private at = 0
  private readonly octets: Buffer
  broken = false

  constructor(octets: Buffer) {
    this.octets = octets
  }

  get left(): number {
    return this.octets.length - this.at
  }

  number(size: 1 | 2): number {
    const bytes = this.take(size)
    return bytes.length === size ? bytes.readUIntBE(0, size) : 0
  }

  take(length: number): Buffer {
    if (length > this.left) {
      this.broken = true
      this.at = this.octets.length
      return Buffer.alloc(0)
    }
    this.at += length
    return this.octets.subarray(this.at - length, this.at)
  }

  vector(size: 1 | 2): Buffer {
    return this.take(this.number(size))
  }
}

function readBody(body: Buffer, recordVersion: number): HelloReading {
  const cursor = new Cursor(body)
  const legacyVersion = cursor.number(2)
  cursor.take(32)
  const sessionId = cursor.vector(1)
  const cipherSuites = numbers(cursor.vector(2))
  cursor.vector(1)
  if (cursor.broken) return { state: 'none' }
  const extensions = new Map<number, Buffer>()
  if (cursor.left > 0) {
    const list = new Cursor(cursor.vector(2))
    while (list.left > 0 && !list.broken) {
      const type = list.number(2)
      extensions.set(type, list.vector(2))
    }
  }
  const serverName = readServerName(extensions.get(0))
  const versions = readVersions(extensions.get(43), legacyVersion)
  const session = sessionOffer(extensions, sessionId, versions)
  return {
    state: 'hello',
    hello: {
      format: 'tls',
      recordVersion,
      legacyVersion,
      versions,
      cipherSuites,
      ...(serverName === undefined ? {} : { serverName }),
      alpn: readNames(extensions.get(16)),
      groups: readList(extensions.get(10)),
      pointFormats: readOctets(extensions.get(11)),
      signatureAlgorithms: readList(extensions.get(13)),
      extensions: [...extensions.keys()],
      ...(session === undefined ? {} : { session }),
    },
  }
}

/**
 * A client that offers TLS 1.3 fills the session id for the sake of middleboxes (RFC 8446 appendix D.4), and one that offers a
 * ticket makes an id up (RFC 5077 §3.4): there the id alone says nothing.
 */
function sessionOffer(
  extensions: ReadonlyMap<number, Buffer>,
  sessionId: Buffer,
  versions: readonly number[],
): SessionOffer | undefined {
  if (extensions.has(PRE_SHARED_KEY)) return 'psk'
  if ((extensions.get(SESSION_TICKET)?.length ?? 0) > 0) return 'ticket'
  return sessionId.length > 0 && !versions.includes(TLS13) ? 'session-id' : undefined
}

const SESSION_TICKET = 35
const PRE_SHARED_KEY = 41
/** The version number of TLS 1.3, RFC 8446 §4.2.1. */
export const TLS13 = 0x0304

function numbers(octets: Buffer): number[] {
  const list: number[] = []
  for (let at = 0; at + 1 < octets.length; at += 2) list.push(octets.readUInt16BE(at))
  return list
}

/** An extension that is one vector of two-octet numbers. */
function readList(extension: Buffer | undefined): number[] {
  return extension === undefined ? [] : numbers(new Cursor(extension).vector(2))
}

/** An extension that is one vector of one-octet numbers. */
function readOctets(extension: Buffer | undefined): number[] {
  return extension === undefined ? [] : [...new Cursor(extension).vector(1)]
}

function readVersions(extension: Buffer | undefined, legacyVersion: number): number[] {
  return extension === undefined ? [legacyVersion] : numbers(new Cursor(extension).vector(1))
}

/** RFC 6066 §3; only host_name exists. */
function readServerName(extension: Buffer | undefined): string | undefined {
  if (extension === undefined) return undefined
  const list = new Cursor(new Cursor(extension).vector(2))
  if (list.number(1) !== 0) return undefined
  const name = list.vector(2)
  return list.broken ? undefined : name.toString('latin1')
}

/** RFC 7301 §3.1. */
function readNames(extension: Buffer | undefined): string[] {
  if (extension === undefined) return []
  const list = new Cursor(new Cursor(extension).vector(2))
  const names: string[] = []
  while (list.left > 0 && !list.broken) names.push(list.vector(1).toString('latin1'))
  return names
}

function readSslv2(octets: Buffer): HelloReading {
  if (octets.length < 11) return octets.length >= 3 && octets[2] !== 1 ? { state: 'none' } : { state: 'more' }
  const length = octets.readUInt16BE(0) & 0x7fff
  if (octets[2] !== 1 || length < 9) return { state: 'none' }
  if (octets.length < 2 + length) return { state: 'more' }
  const version = octets.readUInt16BE(3)
  const specs = octets.subarray(11, 11 + octets.readUInt16BE(5))
  const cipherSuites: number[] = []
  for (let at = 0; at + 2 < specs.length; at += 3) cipherSuites.push(specs.readUIntBE(at, 3))
  return {
    state: 'hello',
    hello: {
      format: 'sslv2',
      recordVersion: 0x0002,
      legacyVersion: version,
      versions: [version],
      cipherSuites,
      alpn: [],
      groups: [],
      signatureAlgorithms: [],
      extensions: [],
    },
  }
}
