/**
 * What the peers, the proxy and the name servers write into the event log, `badmx/events/1`.
 *
 * In memory octets are Buffers; in NDJSON they are base64 (`data`), written and read by {@link encodeEvent} and
 * {@link decodeEvent}. Times are milliseconds since the start of the run on one monotonic clock, with fractions.
 * Ids are unique across the shards of a run: the writer prefixes them.
 */
import type { SessionOffer } from './wire/units.ts'

/** Common to every event. */
export interface Stamp {
  /** Milliseconds since the run began, monotonic, never negative. */
  readonly t: number
  /** The cell that it belongs to; absent on events of the run itself and of peers used alone. */
  readonly cell?: string
}

export interface SocketAddress {
  readonly address: string
  readonly port: number
}

/** A connection of a client (side client) was opened, or its connection to the real server behind a proxy. */
export interface ConnOpened extends Stamp {
  readonly type: 'conn'
  readonly state: 'open'
  readonly conn: string
  /** The peer's name in its world: `mx`, `mx2`. */
  readonly host: string
  readonly local: SocketAddress
  readonly remote: SocketAddress
  /** TLS starts before the first octet (RFC 8314 §3.3). */
  readonly tlsOnConnect: boolean
  /** Set on a proxy: where the real server is. */
  readonly upstream?: SocketAddress
}

/** The connection of a proxy to the real server is up. Logs of before lack it; there what crossed it tells that it was. */
export interface UpstreamOpened extends Stamp {
  readonly type: 'upstream'
  /** That of the client, which it serves. */
  readonly conn: string
  /** The end of the proxy. */
  readonly local: SocketAddress
  readonly remote: SocketAddress
}

export interface ConnClosed extends Stamp {
  readonly type: 'conn'
  readonly state: 'closed'
  readonly conn: string
  /** Who ended it first. `harness` is a deadline or the end of the run. */
  readonly by: 'client' | 'peer' | 'server' | 'harness'
  readonly how: 'fin' | 'rst' | 'error' | 'deadline'
  readonly detail?: string
}

/** Octets as they crossed. `in` comes from the client or the upstream server, `out` goes to it. */
export interface BytesCrossed extends Stamp {
  readonly type: 'bytes'
  readonly conn: string
  readonly side: 'client' | 'upstream'
  readonly direction: 'in' | 'out'
  /** `tcp` is cleartext (or, where a capture is wanted, ciphertext: `cipher`); `tls` is plaintext inside TLS. */
  readonly layer: 'tcp' | 'tls' | 'cipher'
  readonly data: Buffer
  /**
   * A run of octets in one direction is kept up to 64 KiB; of what follows only this is kept, and `data` is its last
   * 4 KiB at most. `hits` are the canaries found in it while it streamed.
   */
  readonly elided?: { readonly length: number; readonly sha256: string; readonly hits: readonly string[] }
}

/** What a ClientHello offered, RFC 8446 §4.1.2. Numbers are code points of the IANA registries. */
export interface HelloSeen {
  readonly format: 'tls' | 'sslv2' | 'none'
  readonly recordVersion: number
  readonly legacyVersion: number
  /** From supported_versions, or the legacy version alone. */
  readonly versions: readonly number[]
  readonly cipherSuites: readonly number[]
  readonly serverName?: string
  readonly alpn: readonly string[]
  readonly groups: readonly number[]
  /** From ec_point_formats, RFC 8422 §5.1.2; absent in logs of before badmx read it, and in the SSLv2 format. */
  readonly pointFormats?: readonly number[]
  readonly signatureAlgorithms: readonly number[]
  readonly extensions: readonly number[]
  /** How it offers a session of before, where it does. */
  readonly session?: SessionOffer
}

export interface TlsHello extends Stamp {
  readonly type: 'tls'
  readonly state: 'hello'
  readonly conn: string
  readonly side: 'client' | 'upstream'
  readonly hello: HelloSeen
  readonly data: Buffer
}

/** The server's certificate chain has left for the client. DER, leaf first, as sent. */
export interface TlsPresented extends Stamp {
  readonly type: 'tls'
  readonly state: 'presented'
  readonly conn: string
  readonly side: 'client' | 'upstream'
  readonly chain: readonly Buffer[]
}

export interface TlsUp extends Stamp {
  readonly type: 'tls'
  readonly state: 'up'
  readonly conn: string
  readonly side: 'client' | 'upstream'
  /** As OpenSSL names it: `TLSv1.3`. */
  readonly version: string
  /** The IANA name. */
  readonly cipher: string
  readonly resumed: boolean
  /** What the client presented, DER, leaf first; empty for none. */
  readonly clientChain: readonly Buffer[]
}

export interface TlsFailed extends Stamp {
  readonly type: 'tls'
  readonly state: 'failed'
  readonly conn: string
  readonly side: 'client' | 'upstream'
  readonly reason: string
  /** The name of the alert that the other side sent (RFC 8446 §6), where it sent one. */
  readonly alert?: string
}

/** A line of the NSS key log format, so that captures can be decrypted. */
export interface TlsSecret extends Stamp {
  readonly type: 'tls'
  readonly state: 'secret'
  readonly conn: string
  readonly side: 'client' | 'upstream'
  readonly line: string
}

/** TLS ended in order (close_notify) while the TCP connection stays. */
export interface TlsClosed extends Stamp {
  readonly type: 'tls'
  readonly state: 'closed'
  readonly conn: string
  readonly side: 'client' | 'upstream'
  readonly by: 'client' | 'peer'
}

/**
 * The proof of a behaviour. A certificate fault is the behaviour `certificate:<fault>`, a DNS fault `dns:<fault>`; the
 * latter's `host` is the name that it is armed for, relative to its zone, or `*`.
 */
export interface ProofEvent extends Stamp {
  readonly type: 'armed' | 'opportunity' | 'fired'
  readonly behaviour: string
  readonly host: string
  /** Absent on `armed` where the peer is armed for every connection. */
  readonly conn?: string
  readonly detail: string
  /** Octets sent to the client on this connection and layer before it fired. */
  readonly offset?: number
  /** The original octets that a layer replaced or kept back. */
  readonly data?: Buffer
}

/**
 * A DNS message in wire format, as it came in or left at one place: `stub` is the resolver's side to the client under test,
 * `resolver` its side to the internet, `authority` a name server, `middlebox` what stands before one.
 */
export interface DnsCrossed extends Stamp {
  readonly type: 'dns'
  readonly at: 'stub' | 'resolver' | 'middlebox' | 'authority'
  readonly direction: 'in' | 'out'
  /** The address here that was asked or answered. Port 0: no socket, the two were in one process. */
  readonly local: SocketAddress
  readonly peer: SocketAddress
  readonly transport: 'udp' | 'tcp'
  readonly data: Buffer
  /** On answers: the AD bit (RFC 6840 §5.8). */
  readonly ad?: boolean
  /** On answers: the info-codes of extended errors (RFC 8914). */
  readonly ede?: readonly number[]
}

export type PeerEvent =
  | ConnOpened
  | UpstreamOpened
  | ConnClosed
  | BytesCrossed
  | TlsHello
  | TlsPresented
  | TlsUp
  | TlsFailed
  | TlsSecret
  | TlsClosed
  | ProofEvent
  | DnsCrossed

/** Where events go. Called synchronously, in the order in which things happened; must not throw. */
export type EventSink = (event: PeerEvent) => void

/** The fields that hold octets, in every event of the log; nowhere else does a Buffer stand. */
const OCTETS: ReadonlySet<string> = new Set(['data', 'chain', 'clientChain', 'roots', 'ciphertext'])

/** One line of NDJSON, without the line end; every Buffer becomes base64 text. */
export function encodeEvent(event: object): string {
  const plain: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(event)) plain[key] = OCTETS.has(key) ? toText(value) : value
  return JSON.stringify(plain)
}

/** The reverse of {@link encodeEvent}; the caller checks the shape. Throws SyntaxError on text that is no JSON. */
export function decodeEvent(line: string): Record<string, unknown> {
  const plain = JSON.parse(line) as Record<string, unknown>
  for (const key of Object.keys(plain)) if (OCTETS.has(key)) plain[key] = toOctets(plain[key])
  return plain
}

function toText(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('base64')
  return Array.isArray(value) ? value.map(toText) : value
}

function toOctets(value: unknown): unknown {
  if (typeof value === 'string') return Buffer.from(value, 'base64')
  return Array.isArray(value) ? value.map(toOctets) : value
}
