/**
 * Watches the octets of both directions, as the record plane shows them, for the moment at which the server lets TLS
 * begin: the end of its 220 to STARTTLS (RFC 3207 §4). Only lines are read, whatever the chunks; nothing is kept but the
 * line that is being read.
 */

/** Longer lines are neither STARTTLS nor a reply code; only their beginning is kept. */
const KEPT = 64

class Lines {
  private line = ''

  /** The lines that end in `bytes`, without their LF, no longer than {@link KEPT}. */
  push(bytes: Buffer): string[] {
    const lines: string[] = []
    let start = 0
    for (let lf = bytes.indexOf(0x0a); lf !== -1; lf = bytes.indexOf(0x0a, start)) {
      lines.push(this.keep(bytes.subarray(start, lf)))
      this.line = ''
      start = lf + 1
    }
    this.line = this.keep(bytes.subarray(start))
    return lines
  }

  private keep(bytes: Buffer): string {
    return (this.line + bytes.subarray(0, KEPT).toString('latin1')).slice(0, KEPT)
  }
}

export class StarttlsWatch {
  private readonly fromClient = new Lines()
  private readonly fromServer = new Lines()
  private asked = false
  /** The 220 has been seen: what follows on either side is TLS. */
  granted = false

  /** Octets of the client. */
  client(bytes: Buffer): void {
    if (this.granted) return
    if (this.fromClient.push(bytes).some((line) => /^starttls[ \t\r]*$/i.test(line))) this.asked = true
  }

  /** Octets of the server. True when the 220 ends in them. */
  server(bytes: Buffer): boolean {
    if (this.granted) return false
    for (const line of this.fromServer.push(bytes)) {
      const code = /^(\d{3})(?:[ \r]|$)/.exec(line)?.[1]
      if (!this.asked || code === undefined) continue
      this.asked = false
      this.granted = code === '220'
      if (this.granted) return true
    }
    return false
  }
}
