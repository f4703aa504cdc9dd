/**
 * Tells TLS records from text in a stream that nobody has terminated: RFC 8446 §5.1 (type 20 to 23, major version 3), and
 * the SSL 2.0 form of a ClientHello (RFC 5246, appendix E.2). Pure.
 */
export class RecordFollower {
  /** Octets of the current record that are still to come. */
  private left = 0
  /** The first octets of a record, until its length is known. */
  private header: number[] = []

  /** How many octets at the beginning of `chunk` belong to records; 0 where it goes on with anything else. */
  take(chunk: Buffer): number {
    let at = 0
    while (at < chunk.length) {
      if (this.left > 0) {
        const step = Math.min(this.left, chunk.length - at)
        this.left -= step
        at += step
        continue
      }
      if (this.header.length === 0 && !beginsRecord(chunk, at)) return at
      this.header.push(chunk[at] ?? 0)
      at += 1
      this.readHeader()
    }
    return at
  }

  private readHeader(): void {
    const [first = 0, second = 0, , high = 0, low = 0] = this.header
    if (first >= 0x80 && this.header.length === 2) this.begin(((first & 0x7f) << 8) | second)
    else if (this.header.length === 5) this.begin((high << 8) | low)
  }

  private begin(length: number): void {
    this.left = length
    this.header = []
  }
}

function beginsRecord(chunk: Buffer, at: number): boolean {
  const first = chunk[at] ?? 0
  const second = chunk[at + 1]
  if (first >= 0x14 && first <= 0x17) return second === undefined || second === 3
  return first >= 0x80 && chunk[at + 2] === 1 && (chunk[at + 3] === 3 || chunk[at + 3] === 0)
}
