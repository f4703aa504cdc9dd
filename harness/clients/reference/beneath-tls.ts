/**
 * The stream that the reference client's TLS runs over: a socket's octets, without its life. Ending or destroying it
 * leaves the socket open, and it remembers what followed the last TLS record (RFC 8446 §5.1), for flaws that go on in
 * clear. What TLS itself sees is never changed.
 */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

const HEADER = 5
/** change_cipher_spec, alert, handshake, application_data. */
const CONTENT_TYPES: ReadonlySet<number | undefined> = new Set([20, 21, 22, 23])

export class BeneathTls extends Duplex {
  readonly #socket: Socket
  #record: Buffer = Buffer.alloc(0)
  #outside = false

  /** `early` is read before anything that the socket has. */
  constructor(socket: Socket, early: Buffer) {
    super()
    if (early.length > 0) this.push(early)
    this.#socket = socket
    socket.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onEnd)
  }

  /** Octets that arrived after the last whole record and begin none. */
  get afterRecords(): Buffer {
    return this.#outside ? this.#record : Buffer.alloc(0)
  }

  /** Takes nothing more from the socket. */
  detach(): void {
    this.#socket.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onEnd)
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(octets: Buffer, _encoding: BufferEncoding, done: () => void): void {
    // A socket that cannot be written to is reported by its own end; the write just never happened.
    if (this.#socket.writable) this.#socket.write(octets, () => done())
    else done()
  }

  override _final(done: () => void): void {
    done()
  }

  readonly #onData = (octets: Buffer): void => {
    this.#watch(octets)
    if (!this.push(octets)) this.#socket.pause()
  }

  readonly #onEnd = (): void => {
    if (!this.readableEnded) this.push(null)
    this.detach()
  }

  #watch(octets: Buffer): void {
    this.#record = Buffer.concat([this.#record, octets])
    while (!this.#outside && this.#record.length > 0) {
      this.#outside = !CONTENT_TYPES.has(this.#record[0])
      if (this.#outside || this.#record.length < HEADER) return
      const end = HEADER + this.#record.readUInt16BE(3)
      if (this.#record.length < end) return
      this.#record = this.#record.subarray(end)
    }
  }
}
