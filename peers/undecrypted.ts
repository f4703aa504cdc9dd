/**
 * Records octets that badmx does not decrypt: each piece as what it is, text (`tcp`) or TLS records (`cipher`).
 *
 * RFC 8446 §5.1 (records), RFC 3207 §4 (they follow STARTTLS). What always holds: octets are taken for text unless they
 * stand where a record can begin, so that no cleartext hides as ciphertext.
 */
import type { Direction, Recorder, Side } from './recorder.ts'
import { readClientHello } from './tls/client-hello.ts'
import { RecordSplitter, recordAfterLine, type StreamPiece } from './tls/records.ts'

/** One direction of a stream whose STARTTLS was passed through. */
export class PassedThrough {
  private readonly recorder: Recorder
  private readonly side: Side
  private readonly direction: Direction
  private readonly splitter = new RecordSplitter()

  constructor(recorder: Recorder, side: Side, direction: Direction) {
    this.recorder = recorder
    this.side = side
    this.direction = direction
  }

  record(octets: Buffer): void {
    for (const { layer, bytes } of this.splitter.split(octets))
      this.recorder.bytes(this.side, this.direction, layer, bytes)
  }
}

/** What a client sends outside TLS of ours: text, or records of a TLS that is passed through or that nobody asked for. */
export class ClearInput {
  private readonly recorder: Recorder
  private splitter: RecordSplitter | undefined
  private helloSeen = false
  private helloOctets: Buffer = Buffer.alloc(0)
  private leftTls = false

  constructor(recorder: Recorder) {
    this.recorder = recorder
  }

  /** Records a chunk and gives back what the session is to read of it. `atLineStart`: a record may begin here. */
  read(chunk: Buffer, atLineStart: boolean): readonly Buffer[] {
    if (this.splitter === undefined) {
      const at = atLineStart ? recordStart(chunk) : -1
      if (at === -1) {
        this.recorder.bytes('client', 'in', 'tcp', chunk)
        return [chunk]
      }
      this.splitter = new RecordSplitter()
      if (at > 0) {
        this.recorder.bytes('client', 'in', 'tcp', chunk.subarray(0, at))
        return [chunk.subarray(0, at), ...this.pieces(this.splitter.split(chunk.subarray(at)))]
      }
    }
    return this.pieces(this.splitter.split(chunk))
  }

  /** TLS was ended on a connection that goes on: records that still come, a close_notify, are not for the session. */
  afterTls(): void {
    this.leftTls = true
    this.splitter = new RecordSplitter()
  }

  private pieces(pieces: readonly StreamPiece[]): Buffer[] {
    const read: Buffer[] = []
    for (const { layer, bytes } of pieces) {
      this.recorder.bytes('client', 'in', layer, bytes)
      if (layer === 'cipher') this.lookForHello(bytes)
      if (layer === 'tcp' || !this.leftTls) read.push(bytes)
    }
    return read
  }

  /** A ClientHello that badmx does not answer itself is recorded all the same. */
  private lookForHello(bytes: Buffer): void {
    if (this.helloSeen || this.leftTls) return
    this.helloOctets = Buffer.concat([this.helloOctets, bytes])
    const reading = readClientHello(this.helloOctets)
    if (reading.state === 'more') return
    this.helloSeen = true
    if (reading.state === 'hello') {
      this.recorder.event({ type: 'tls', state: 'hello', side: 'client', hello: reading.hello, data: this.helloOctets })
    }
    this.helloOctets = Buffer.alloc(0)
  }
}

/** Where records begin: at the start of a chunk, or behind a STARTTLS in it. Anywhere else the octets may be content. */
function recordStart(chunk: Buffer): number {
  const at = recordAfterLine(chunk)
  return at <= 0 || /(?:^|\n)STARTTLS[ \t]*\r?\n$/i.test(chunk.toString('latin1', 0, at)) ? at : -1
}
