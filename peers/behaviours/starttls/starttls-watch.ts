/**
 * Watches the octets of both directions, as the record plane shows them, for the moment at which the server lets TLS
 * begin: the end of its 220 to STARTTLS (RFC 3207 §4). Only lines are read, whatever the chunks; nothing is kept but the
 * line that is being read.
 */

/** Longer lines are neither STARTTLS nor a reply code; only their beginning is kept. */
const KEPT = 64

class Lines {
  private line = ''

  /** Whole lines without their line end, each with the offset in `bytes` after it. */
  *of(bytes: Buffer): Generator<{ readonly text: string; readonly end: number }> {
    let start = 0
    for (let lf = bytes.indexOf(0x0a); lf !== -1; lf = bytes.indexOf(0x0a, start)) {
      const text = this.keep(bytes.subarray(start, lf))
      this.line = ''
      start = lf + 1
      yield { text, end: start }
    }
    this.line = this.keep(bytes.subarray(start))
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
    for (const { text } of this.fromClient.of(bytes)) if (/^starttls[ \t\r]*$/i.test(text)) this.asked = true
  }

  /** Octets of the server; the number of them up to the end of the 220, once, else undefined. */
  server(bytes: Buffer): number | undefined {
    if (this.granted) return undefined
    for (const { text, end } of this.fromServer.of(bytes)) {
      const code = /^(\d{3})(?:[ \r]|$)/.exec(text)?.[1]
      if (!this.asked || code === undefined) continue
      this.asked = false
      if (code !== '220') continue
      this.granted = true
      return end
    }
    return undefined
  }
}
