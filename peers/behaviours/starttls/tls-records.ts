/**
 * Tells TLS records from text by their header: RFC 8446 §5.1, and the SSLv2-format hello of RFC 5246 appendix E.2. Pure, and
 * the same whatever the chunks. No SMTP command and no reply begins with an octet that begins a record.
 */

/** What octets begin with; `more` when too few are there to tell. */
export type Beginning =
  | { readonly kind: 'record'; readonly length: number; readonly hello: boolean }
  | { readonly kind: 'text' }
  | { readonly kind: 'more' }

const HANDSHAKE = 22

export function beginningOf(octets: Buffer): Beginning {
  const [first, second, third] = octets
  if (first === undefined) return { kind: 'more' }
  if (first >= 0x80) {
    if (third === undefined) return { kind: 'more' }
    return third === 1
      ? { kind: 'record', length: 2 + (octets.readUInt16BE(0) & 0x7fff), hello: true }
      : { kind: 'text' }
  }
  if (first < 20 || first > 23) return { kind: 'text' }
  if (second === undefined) return { kind: 'more' }
  if (second !== 3) return { kind: 'text' }
  if (octets.length < 5) return { kind: 'more' }
  return { kind: 'record', length: 5 + octets.readUInt16BE(3), hello: first === HANDSHAKE }
}

export interface TlsRecord {
  /** It begins a handshake: content type 22, or an SSLv2-format hello. */
  readonly hello: boolean
  readonly bytes: Buffer
}

/** Whole records at the beginning of a stream. From the first octet of text on, everything is text. */
export class LeadingRecords {
  private pending: Buffer = Buffer.alloc(0)
  private text = false

  push(bytes: Buffer): { readonly records: readonly TlsRecord[]; readonly text: Buffer } {
    if (this.text) return { records: [], text: bytes }
    this.pending = Buffer.concat([this.pending, bytes])
    const records: TlsRecord[] = []
    for (;;) {
      const beginning = beginningOf(this.pending)
      if (beginning.kind === 'text') {
        this.text = true
        return { records, text: this.pending }
      }
      if (beginning.kind === 'more' || this.pending.length < beginning.length) return { records, text: Buffer.alloc(0) }
      records.push({ hello: beginning.hello, bytes: this.pending.subarray(0, beginning.length) })
      this.pending = this.pending.subarray(beginning.length)
    }
  }
}
