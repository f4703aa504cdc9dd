/**
 * Cuts the octets of a client into records (RFC 5246 §6.2.1), and the content of handshake records into messages (§6.2.1: they
 * may be split over records or share one). The first record may be an SSLv2-format hello (RFC 6101 appendix E). Pure.
 */
import { CONTENT, ProtocolError } from './protocol.ts'

export interface Record {
  readonly type: number
  readonly version: number
  readonly fragment: Buffer
}

/** What the first octets can be instead of a record: an SSLv2-format hello without its two octets of length. */
export interface Sslv2Hello {
  readonly type: 'sslv2-hello'
  readonly message: Buffer
}

const HEADER = 5
/** RFC 5246 §6.2.3. */
const LONGEST = 2 ** 14 + 2048
const NONE: Buffer = Buffer.alloc(0)

export class RecordReader {
  private held: Buffer = NONE
  private first = true

  push(octets: Buffer): void {
    this.held = this.held.length === 0 ? octets : Buffer.concat([this.held, octets])
  }

  /** Octets of a record that has not come whole. */
  get waiting(): number {
    return this.held.length
  }

  /** @throws {ProtocolError} where no record begins, or one is too long. */
  next(): Record | Sslv2Hello | undefined {
    const { held } = this
    if (this.first && held.length > 0 && ((held[0] as number) & 0x80) !== 0) return this.sslv2()
    if (held.length < HEADER) return undefined
    const type = held[0] as number
    const length = held.readUInt16BE(3)
    if (type < CONTENT.changeCipherSpec || type > CONTENT.heartbeat || held[1] !== 3)
      throw new ProtocolError('unexpected_message', `no record: ${held.subarray(0, HEADER).toString('hex')}`)
    if (length > LONGEST) throw new ProtocolError('record_overflow', `a record of ${length} octets`)
    if (held.length < HEADER + length) return undefined
    this.first = false
    this.held = held.subarray(HEADER + length)
    return { type, version: held.readUInt16BE(1), fragment: held.subarray(HEADER, HEADER + length) }
  }

  private sslv2(): Sslv2Hello | undefined {
    const { held } = this
    if (held.length < 3) return undefined
    const length = held.readUInt16BE(0) & 0x7fff
    if (held[2] !== 1 || length < 9)
      throw new ProtocolError('unexpected_message', 'neither a record nor a hello of SSLv2')
    if (held.length < 2 + length) return undefined
    this.first = false
    this.held = held.subarray(2 + length)
    return { type: 'sslv2-hello', message: held.subarray(2, 2 + length) }
  }
}

/** A ClientHello and a chain of a client's certificates are never longer here. */
const LONGEST_MESSAGE = 256 * 1024

export class MessageReader {
  private held: Buffer = NONE

  push(fragment: Buffer): void {
    this.held = this.held.length === 0 ? fragment : Buffer.concat([this.held, fragment])
  }

  /** Nothing of a message is left over. */
  get empty(): boolean {
    return this.held.length === 0
  }

  /** The next whole message with its header. @throws {ProtocolError} where it would be too long. */
  next(): Buffer | undefined {
    const { held } = this
    if (held.length < 4) return undefined
    const length = 4 + held.readUIntBE(1, 3)
    if (length > LONGEST_MESSAGE)
      throw new ProtocolError('illegal_parameter', `a handshake message of ${length} octets`)
    if (held.length < length) return undefined
    this.held = held.subarray(length)
    return held.subarray(0, length)
  }
}
