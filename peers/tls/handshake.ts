/**
 * Reads what is in clear of one direction of a TLS handshake: the handshake messages before encryption begins (RFC 5246 §7.4,
 * RFC 8446 §4), alerts, and where encryption begins. Pure, and the same whatever the chunks, the records and the messages
 * that share a record. What is read may come from strangers: nothing throws, and what is kept is bounded.
 */
import { LeadingRecords } from '../behaviours/starttls/tls-records.ts'

export type ClearPart =
  | { readonly kind: 'message'; readonly type: number; readonly body: Buffer }
  | { readonly kind: 'alert'; readonly level: number; readonly description: number }
  /** From here on nothing can be read without keys. */
  | { readonly kind: 'encrypted' }
  /** These octets are no TLS, or a message that nobody sends. */
  | { readonly kind: 'unreadable' }

/** Handshake types, RFC 8446 §4 and RFC 5246 §7.4. */
export const HANDSHAKE = {
  clientHello: 1,
  serverHello: 2,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
} as const

const CHANGE_CIPHER_SPEC = 20
const ALERT = 21
const HANDSHAKE_RECORD = 22
const RECORD_HEADER = 5
const MESSAGE_HEADER = 4
/** The longest message that is read: more than any implementation sends or takes. */
const LONGEST = 2 * 1024 * 1024

export class HandshakeReader {
  private readonly splitter = new LeadingRecords()
  private pending: Buffer = Buffer.alloc(0)
  private changed = false
  private over = false

  push(bytes: Buffer): ClearPart[] {
    if (this.over) return []
    const { records, text } = this.splitter.push(bytes)
    const parts: ClearPart[] = []
    for (const { bytes: record } of records) if (!this.over) parts.push(...this.record(record))
    if (!this.over && text.length > 0) parts.push(this.end('unreadable'))
    return parts
  }

  private record(record: Buffer): ClearPart[] {
    const content = record.subarray(RECORD_HEADER)
    switch (record[0]) {
      case HANDSHAKE_RECORD:
        return this.changed && !isHello(content) ? [this.end('encrypted')] : this.messages(content)
      case ALERT:
        return !this.changed && content.length === 2
          ? [{ kind: 'alert', level: content[0] ?? 0, description: content[1] ?? 0 }]
          : [this.end('encrypted')]
      case CHANGE_CIPHER_SPEC:
        this.changed = true
        return []
      default:
        return [this.end('encrypted')]
    }
  }

  private messages(content: Buffer): ClearPart[] {
    this.pending = Buffer.concat([this.pending, content])
    const parts: ClearPart[] = []
    while (this.pending.length >= MESSAGE_HEADER) {
      const length = this.pending.readUIntBE(1, 3)
      if (length > LONGEST) return [...parts, this.end('unreadable')]
      const end = MESSAGE_HEADER + length
      if (this.pending.length < end) break
      const type = this.pending[0] ?? 0
      const body = this.pending.subarray(MESSAGE_HEADER, end)
      this.pending = this.pending.subarray(end)
      parts.push({ kind: 'message', type, body })
    }
    return parts
  }

  private end(kind: 'encrypted' | 'unreadable'): ClearPart {
    this.over = true
    this.pending = Buffer.alloc(0)
    return { kind }
  }
}

/**
 * Behind ChangeCipherSpec a message is encrypted, but for the second hello of either side that a HelloRetryRequest brings (RFC
 * 8446 §4.1.4, appendix D.4): a whole one in a record.
 */
function isHello(content: Buffer): boolean {
  const [type] = content
  const whole = content.length > MESSAGE_HEADER && content.readUIntBE(1, 3) === content.length - MESSAGE_HEADER
  return whole && (type === HANDSHAKE.clientHello || type === HANDSHAKE.serverHello)
}

export interface ServerHello {
  /** The version that is selected: from supported_versions, or the legacy version. */
  readonly version: number
  readonly cipherSuite: number
  readonly extensions: readonly number[]
  /** It is a HelloRetryRequest, RFC 8446 §4.1.4. */
  readonly retry: boolean
}

/** SHA-256 of "HelloRetryRequest", RFC 8446 §4.1.3. */
const RETRY_RANDOM = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex')
const SUPPORTED_VERSIONS = 43

/** RFC 8446 §4.1.3, RFC 5246 §7.4.1.3; undefined where it is cut short. */
export function readServerHello(body: Buffer): ServerHello | undefined {
  const session = 2 + 32
  const suite = session + 1 + (body[session] ?? 0)
  if (body.length < suite + 3) return undefined
  const extensions = new Map<number, Buffer>()
  for (let at = suite + 3 + 2; at + 4 <= body.length; ) {
    const end = at + 4 + body.readUInt16BE(at + 2)
    extensions.set(body.readUInt16BE(at), body.subarray(at + 4, end))
    at = end
  }
  const selected = extensions.get(SUPPORTED_VERSIONS)
  return {
    version: selected?.length === 2 ? selected.readUInt16BE(0) : body.readUInt16BE(0),
    cipherSuite: body.readUInt16BE(suite),
    extensions: [...extensions.keys()],
    retry: body.subarray(2, session).equals(RETRY_RANDOM),
  }
}

/** The certificates of a Certificate message of TLS 1.2 and below (RFC 5246 §7.4.2), DER, leaf first; as far as it reads. */
export function readCertificateList(body: Buffer): Buffer[] {
  const chain: Buffer[] = []
  for (let at = 3; at + 3 <= body.length; ) {
    const end = at + 3 + body.readUIntBE(at, 3)
    if (end > body.length) break
    chain.push(body.subarray(at + 3, end))
    at = end
  }
  return chain
}

/**
 * The distinguished names of a CertificateRequest of TLS 1.2 and below, how many and how many octets; undefined where it is
 * cut short. RFC 5246 §7.4.4; before TLS 1.2 there are no signature algorithms in it (RFC 4346 §7.4.4).
 */
export function readAuthorities(body: Buffer, version: number): { count: number; octets: number } | undefined {
  const types = 1 + (body[0] ?? 0)
  const algorithms = version >= 0x0303 && body.length >= types + 2 ? 2 + body.readUInt16BE(types) : 0
  const list = types + algorithms
  if (body.length < list + 2) return undefined
  const octets = body.readUInt16BE(list)
  let count = 0
  for (let at = list + 2; at + 2 <= list + 2 + octets && at + 2 <= body.length; count++) at += 2 + body.readUInt16BE(at)
  return { count, octets }
}
