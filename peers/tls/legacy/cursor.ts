/** Reads the fields of a message from its front. Pure. */
import { ProtocolError } from './protocol.ts'

/** Every read past the end throws {@link ProtocolError} with decode_error, RFC 5246 §7.2.2. */
export class Cursor {
  private at = 0
  private readonly octets: Buffer
  private readonly what: string

  /** `what` names the message for the reason of the error. */
  constructor(octets: Buffer, what: string) {
    this.octets = octets
    this.what = what
  }

  get left(): number {
    return this.octets.length - this.at
  }

  /** An unsigned number of `size` octets. */
  number(size: 1 | 2 | 3): number {
    return this.take(size).readUIntBE(0, size)
  }

  take(length: number): Buffer {
    if (length > this.left)
      throw new ProtocolError('decode_error', `${this.what}: got ${this.left} octets, want ${length}`)
    this.at += length
    return this.octets.subarray(this.at - length, this.at)
  }

  /** A vector with a length of `size` octets in front of it, RFC 5246 §4.3. */
  vector(size: 1 | 2 | 3): Buffer {
    return this.take(this.number(size))
  }

  /** All the rest. */
  rest(): Buffer {
    return this.take(this.left)
  }

  /** The message must be read to its end. */
  end(): void {
    if (this.left > 0) throw new ProtocolError('decode_error', `${this.what}: ${this.left} octets too many`)
  }
}

/** `octets` behind their length in `size` octets. */
export function vector(size: 1 | 2 | 3, octets: Buffer): Buffer {
  const length = Buffer.alloc(size)
  length.writeUIntBE(octets.length, 0, size)
  return Buffer.concat([length, octets])
}

export function uint16(...numbers: readonly number[]): Buffer {
  const octets = Buffer.alloc(numbers.length * 2)
  for (const [index, number] of numbers.entries()) octets.writeUInt16BE(number, index * 2)
  return octets
}
