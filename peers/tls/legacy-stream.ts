/**
 * The legacy engine on a connection: a Duplex of plaintext, as Node's TLSSocket is one. What the engine does beside sending and
 * receiving is told to its owner.
 */
import { Duplex } from 'node:stream'
import type { EngineOutput, LegacyEngine } from './legacy/engine.ts'

/** What the owner of a stream hears of. */
export type EngineNews = Exclude<EngineOutput, { type: 'send' | 'data' | 'closed' }>

export class LegacyStream extends Duplex {
  private readonly base: Duplex
  private readonly engine: LegacyEngine
  private readonly tell: (news: EngineNews) => void
  private ended = false

  constructor(base: Duplex, engine: LegacyEngine, tell: (news: EngineNews) => void) {
    super({ allowHalfOpen: false, decodeStrings: true })
    this.base = base
    this.engine = engine
    this.tell = tell
  }

  /** Starts with octets that have come already. */
  begin(octets: Buffer): void {
    this.base.on('data', this.onData)
    this.base.on('end', this.onEnd)
    this.base.on('close', this.onClose)
    this.perform(this.engine.receive(octets))
    this.base.resume()
  }

  private readonly onData = (chunk: Buffer): void => this.perform(this.engine.receive(chunk))

  private readonly onEnd = (): void => {
    this.perform(this.engine.end())
    this.pushEnd()
  }

  private readonly onClose = (): void => {
    this.onEnd()
    this.destroy()
  }

  private perform(outputs: readonly EngineOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'send') {
        if (this.base.writable) this.base.write(output.bytes)
      } else if (output.type === 'data') {
        if (!this.push(output.bytes)) this.base.pause()
      } else if (output.type === 'closed') this.pushEnd()
      else this.tell(output)
    }
  }

  private pushEnd(): void {
    if (this.ended) return
    this.ended = true
    this.push(null)
  }

  override _read(): void {
    this.base.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.perform(this.engine.write(chunk))
    if (this.base.writableNeedDrain) this.base.once('drain', () => done())
    else done()
  }

  override _final(done: (error?: Error | null) => void): void {
    this.perform(this.engine.close())
    this.base.end()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.base.off('data', this.onData)
    this.base.off('end', this.onEnd)
    this.base.off('close', this.onClose)
    done(error)
  }
}
