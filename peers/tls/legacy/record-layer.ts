/**
 * Content in, records out, and the other way round: cuts content to the size of a record, protects it, and collects what is to
 * be written at once. RFC 5246 §6.2. Pure but for its own state.
 */
import { type Protection, UNPROTECTED } from './protection.ts'
import { CONTENT } from './protocol.ts'
import type { Record } from './record-reader.ts'

export interface OutgoingRecord {
  readonly content: number
  /** Header and fragment. */
  readonly bytes: Buffer
  readonly padding: number
  readonly block: number
}

export class RecordLayer {
  private reading: Protection = UNPROTECTED
  private writing: Protection = UNPROTECTED
  private readonly limit: number
  /** Of the records that go out: that of the handshake as soon as it is settled. */
  version = 0x0301

  /** `limit` is the most content that a record gets, 1 to 16384 octets. */
  constructor(limit: number) {
    this.limit = limit
  }

  activate(direction: 'read' | 'write', protection: Protection): void {
    if (direction === 'read') this.reading = protection
    else this.writing = protection
  }

  /** @throws {ProtocolError} where the record is not what the client's keys make. */
  open({ type, fragment }: Record): Buffer {
    return this.reading.open(type, fragment)
  }

  /** Empty content makes one empty record, but for messages, of which there is none then. */
  seal(content: number, bytes: Buffer): OutgoingRecord[] {
    const records: OutgoingRecord[] = []
    // A ChangeCipherSpec or alert is never cut: some receivers cannot take one in pieces, and no sender cuts it.
    const limit = content === CONTENT.changeCipherSpec || content === CONTENT.alert ? bytes.length : this.limit
    for (let at = 0; at < bytes.length || (at === 0 && content !== CONTENT.handshake); at += limit) {
      const { fragment, padding, block } = this.writing.seal(content, bytes.subarray(at, at + limit))
      const header = Buffer.from([
        content,
        this.version >> 8,
        this.version & 255,
        fragment.length >> 8,
        fragment.length & 255,
      ])
      records.push({ content, bytes: Buffer.concat([header, fragment]), padding, block })
      if (limit === 0) break
    }
    return records
  }
}
