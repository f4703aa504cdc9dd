/**
 * Tells TLS records from cleartext in one direction of a stream that badmx does not decrypt (RFC 8446 §5.1: type 20 to 24,
 * major version 3, at most 2^14 + 2048 octets). Pure; looks at five octets of each record and skips the rest.
 */

export interface StreamPiece {
  readonly layer: 'cipher' | 'tcp'
  readonly bytes: Buffer
}

/** The most octets that a record holds, RFC 5246 §6.2.3. */
const LONGEST = 2 ** 14 + 2048

/** The header of a TLS record, or as much of it as is there. */
function startsRecord(octets: Buffer): boolean {
  const [type, major] = octets
  if (type === undefined || type < 0x14 || type > 0x18 || (major !== undefined && major !== 3)) return false
  return octets.length < 5 || octets.readUInt16BE(3) <= LONGEST
}

/** Where a TLS handshake record begins, at the start of `octets` or right behind a line end; -1 where none does. */
export function recordAfterLine(octets: Buffer): number {
  if (octets[0] === 0x16 && octets[1] === 3) return 0
  const found = octets.indexOf('\n\x16\x03', 0, 'latin1')
  return found === -1 ? -1 : found + 1
}

export class RecordSplitter {
  /** Octets of the current record that are still to come. */
  private left = 0
  /** The header of a record that a chunk has cut. */
  private header: Buffer = Buffer.alloc(0)

  split(chunk: Buffer): StreamPiece[] {
    const pieces: StreamPiece[] = []
    let at = 0
    while (at < chunk.length) {
      const begin = at
      while (at < chunk.length && (this.left > 0 || startsRecord(this.headerWith(chunk, at)))) at = this.skip(chunk, at)
      if (at > begin) pieces.push({ layer: 'cipher', bytes: chunk.subarray(begin, at) })
      if (at === chunk.length) break
      this.header = Buffer.alloc(0)
      // Text goes on to the end of the chunk: a record does not start in the middle of a line.
      pieces.push({ layer: 'tcp', bytes: chunk.subarray(at) })
      break
    }
    return pieces
  }

  private headerWith(chunk: Buffer, at: number): Buffer {
    const wanted = chunk.subarray(at, at + 5 - this.header.length)
    return this.header.length === 0 ? wanted : Buffer.concat([this.header, wanted])
  }

  private skip(chunk: Buffer, at: number): number {
    if (this.left === 0) {
      const header = this.headerWith(chunk, at)
      const taken = header.length - this.header.length
      if (header.length < 5) {
        this.header = header
        return at + taken
      }
      this.header = Buffer.alloc(0)
      this.left = header.readUInt16BE(3)
      return at + taken
    }
    const step = Math.min(this.left, chunk.length - at)
    this.left -= step
    return at + step
  }
}
