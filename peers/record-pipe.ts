/**
 * The record plane: a Duplex in front of a client's socket, under TLS, through which every octet of the connection goes
 * past layers that may drop, replace, delay or add some. Used only where a behaviour asks for it: it costs about a fifth
 * more CPU than TLS straight on the socket.
 */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { RecordSplitter } from './tls/records.ts'
import { Stack, type StackSink } from './wire/stack.ts'
import type { Layer, WireEvent } from './wire/units.ts'

export interface RecordPipeHandlers {
  /** A layer asked for something that does not travel; `layer` is its index. */
  effect(output: Parameters<StackSink['effect']>[0], layer: number): void
  /** Cleartext goes to the client that a layer made, and not the session or TLS above. */
  made(octets: Buffer): void
  /** TLS records crossed between client and peer, as they came or after all layers let them go. */
  crossed(direction: 'in' | 'out', octets: Buffer): void
}

export class RecordPipe extends Duplex {
  private readonly socket: Socket
  private readonly stack: Stack
  private ended = false
  /** What the session or TLS has written. The stack may let it go later than the write that brought it. */
  private readonly written = new WeakSet<Buffer>()
  /** Since TLS began: tells the records from what a layer puts between them. */
  private records: RecordSplitter | undefined
  /** Since TLS was left: its close_notify may still be on its way. */
  private left: RecordSplitter | undefined
  private readonly handlers: RecordPipeHandlers
  /** Octets that TLS or the session above has written. */
  bytesWritten = 0

  /** Octets that have left for the client. */
  get bytesSent(): number {
    return this.socket.bytesWritten
  }

  constructor(socket: Socket, layers: readonly Layer[], handlers: RecordPipeHandlers) {
    super({ allowHalfOpen: true, decodeStrings: true })
    this.socket = socket
    this.handlers = handlers
    this.stack = new Stack(layers, {
      toServer: (unit) => {
        if (unit.type === 'bytes') {
          if (!this.push(unit.bytes)) this.socket.pause()
        } else if (unit.type === 'eof') this.pushEnd()
      },
      toClient: (unit) => {
        if (unit.type === 'bytes') this.send(unit.bytes)
        else if (unit.type === 'eof') this.socket.end()
      },
      effect: (output, layer) => handlers.effect(output, layer),
    })
    socket.on('data', (bytes) => {
      if (this.records !== undefined) handlers.crossed('in', bytes)
      this.stack.fromClient({ type: 'bytes', from: 'client', bytes })
    })
    socket.on('end', () => this.stack.fromClient({ type: 'eof', from: 'client' }))
    socket.on('close', () => {
      this.pushEnd()
      this.destroy()
    })
    // A reset belongs to the session, which listens on the socket itself.
    this.on('error', () => {})
  }

  /** An event for every layer: TLS has changed its state. */
  tell(event: WireEvent): void {
    if (event.type === 'tls' && event.state === 'hello') this.records = new RecordSplitter()
    this.stack.all(event)
  }

  /** TLS was left: what is written from now on is the session's own cleartext. */
  clearAgain(): void {
    this.records = undefined
    this.left = new RecordSplitter()
  }

  /** An alarm for one layer. */
  wake(alarm: string, layer: number): void {
    this.stack.one({ type: 'wake', alarm }, layer)
  }

  override _read(): void {
    this.socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.bytesWritten += chunk.length
    this.written.add(chunk)
    this.stack.fromServer({ type: 'bytes', from: 'server', bytes: chunk })
    if (this.socket.writableNeedDrain) this.socket.once('drain', () => done())
    else done()
  }

  override _final(done: (error?: Error | null) => void): void {
    this.stack.fromServer({ type: 'eof', from: 'server' })
    done()
  }

  private send(octets: Buffer): void {
    if (this.records !== undefined) {
      for (const { layer, bytes } of this.records.split(octets)) {
        if (layer === 'tcp') this.handlers.made(bytes)
        else this.handlers.crossed('out', bytes)
      }
    } else if (!this.written.has(octets)) this.handlers.made(octets)
    else if (this.left !== undefined) {
      for (const { layer, bytes } of this.left.split(octets))
        if (layer === 'cipher') this.handlers.crossed('out', bytes)
    }
    if (this.socket.writable) this.socket.write(octets)
  }

  private pushEnd(): void {
    if (this.ended) return
    this.ended = true
    this.push(null)
  }
}

/** What TLS stands on where it does not stand on the connection itself: octets go through to the base and back. */
abstract class Floor extends Duplex {
  protected readonly base: Duplex
  private left = false

  constructor(base: Duplex) {
    super({ allowHalfOpen: false, decodeStrings: true })
    this.base = base
    base.on('data', this.onData)
    base.on('end', this.onEnd)
    base.on('close', this.onClose)
    this.on('error', () => {})
  }

  /** Octets that TLS has written. */
  get bytesWritten(): number {
    return (this.base as Partial<Socket>).bytesWritten ?? 0
  }

  /** Called with what goes through, in order. */
  protected crossed(_direction: 'in' | 'out', _octets: Buffer): void {}

  /** What comes from now on is no longer for TLS, and the end of TLS is not the end of the base. */
  leave(): void {
    this.left = true
    this.base.off('data', this.onData)
    this.base.off('end', this.onEnd)
    this.base.off('close', this.onClose)
  }

  private readonly onData = (chunk: Buffer): void => {
    this.crossed('in', chunk)
    if (!this.push(chunk)) this.base.pause()
  }

  private readonly onEnd = (): void => {
    this.push(null)
  }

  private readonly onClose = (): void => {
    this.destroy()
  }

  override _read(): void {
    if (!this.left) this.base.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.crossed('out', chunk)
    if (this.base.write(chunk)) done()
    else this.base.once('drain', () => done())
  }

  override _final(done: (error?: Error | null) => void): void {
    if (!this.left) this.base.end()
    done()
  }
}

/**
 * Where a layer acts on the TCP connection under TLS: octets go through to the base until TLS is left; then TLS ends with
 * its close_notify while the base goes on.
 */
export class TlsFloor extends Floor {
  /** Octets that have left for the client. */
  get bytesSent(): number {
    return (this.base as Partial<RecordPipe>).bytesSent ?? this.bytesWritten
  }
}

/** Where nothing acts under TLS, and its records are wanted for a capture: TLS on the connection itself shows none. */
export class TlsTap extends Floor {
  private readonly told: (direction: 'in' | 'out', octets: Buffer) => void

  constructor(base: Duplex, told: (direction: 'in' | 'out', octets: Buffer) => void) {
    super(base)
    this.told = told
  }

  protected override crossed(direction: 'in' | 'out', octets: Buffer): void {
    this.told(direction, octets)
  }
}
