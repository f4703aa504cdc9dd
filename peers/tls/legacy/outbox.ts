/**
 * What the engine puts out: messages and content on their way through the layers into records, what layers want beside that,
 * and what is written at once. Pure but for its own state.
 *
 * What always holds: what is sent leaves in the order in which it was handed over; once it is over nothing more is sent.
 */
import type { EngineOutput } from './engine.ts'
import type { TlsEvent, TlsLayer, TlsOutput, TlsUnit } from './layer.ts'
import type { Protection } from './protection.ts'
import { ALERTS, CONTENT, type MessageName } from './protocol.ts'
import { RecordLayer } from './record-layer.ts'

/** What is told in the middle of a flight and does not cut it in two. */
const ASIDE: readonly EngineOutput['type'][] = ['secret', 'presented', 'opportunity', 'fired']

export class Outbox {
  /** No more is sent or read. */
  over = false
  readonly records: RecordLayer
  /** The one nearest to the client first. */
  private readonly layers: readonly TlsLayer[]
  /** Handshake messages share records. */
  private readonly sharing: boolean
  private outputs: EngineOutput[] = []
  /** Records, and content that has no record yet, that wait to be sent together. */
  private flight: Buffer[] = []
  private shared: Buffer[] = []

  constructor(layers: readonly TlsLayer[], limit: number, sharing: boolean) {
    this.layers = layers
    this.records = new RecordLayer(limit)
    this.sharing = sharing
  }

  /** Hands over what is no octets. What it follows on has left before it is heard of, but for what a flight goes on after. */
  put(output: EngineOutput): void {
    if (!ASIDE.includes(output.type)) this.flush()
    this.outputs.push(output)
  }

  /** All that has come together, records as one write. */
  drain(): readonly EngineOutput[] {
    this.flush()
    const { outputs } = this
    this.outputs = []
    return outputs
  }

  /** The connection ends so. */
  finish(how: 'fin' | 'rst' | 'stall'): void {
    this.put({ type: 'end', how })
    this.over = true
  }

  /** Writes with these keys from now on. */
  activate(protection: Protection): void {
    this.sealShared()
    this.records.activate('write', protection)
  }

  /** Sends a message; what really left. */
  send(name: MessageName, message: Buffer): readonly Buffer[] {
    if (this.over) return []
    const units = this.pass({ type: 'message', from: 'server', name, bytes: message })
    const left = units.flatMap((unit) => (unit.type === 'message' ? [unit.bytes] : []))
    if (this.over) return []
    for (const bytes of left) this.message(name, bytes)
    this.tell({ type: 'past', from: 'server', name })
    return left
  }

  private message(name: MessageName, bytes: Buffer): void {
    if (name === 'change-cipher-spec') this.seal(CONTENT.changeCipherSpec, bytes)
    else if (this.sharing) this.shared.push(bytes)
    else this.seal(CONTENT.handshake, bytes)
  }

  /** A unit on its way through the layers, from the nearest to the client or towards it; what comes out at the end. */
  pass(unit: TlsUnit): readonly TlsUnit[] {
    const inwards = unit.type === 'hello' || (unit.type === 'message' && unit.from === 'client')
    let units: readonly TlsUnit[] = [unit]
    for (let step = 0; step < this.layers.length; step++) {
      const layer = inwards ? step : this.layers.length - 1 - step
      units = units.flatMap((each) => this.ask(layer, each))
    }
    return units
  }

  tell(event: TlsEvent): void {
    for (let layer = this.layers.length - 1; layer >= 0 && !this.over; layer--) this.ask(layer, event)
  }

  /** What a layer lets on; what else it wants is done at once. */
  private ask(layer: number, event: TlsEvent): readonly TlsUnit[] {
    const units: TlsUnit[] = []
    for (const output of this.layers[layer]?.on(event) ?? []) {
      if (this.over) break
      if (!this.effect(output, layer)) units.push(output as TlsUnit)
    }
    return units
  }

  /** False for a unit. */
  private effect(output: TlsOutput, layer: number): boolean {
    switch (output.type) {
      case 'octets':
        this.sealShared()
        this.flight.push(output.bytes)
        return true
      case 'content':
        this.seal(output.content, output.bytes)
        return true
      case 'alert':
        this.alert(output.level, typeof output.alert === 'number' ? output.alert : ALERTS[output.alert])
        return true
      case 'hello-request':
        this.message('hello-request', Buffer.from([0, 0, 0, 0]))
        return true
      case 'end':
        this.finish(output.how)
        return true
      case 'opportunity':
      case 'fired':
        this.put({ type: output.type, layer, detail: output.detail })
        return true
      default:
        return false
    }
  }

  alert(level: 'warning' | 'fatal', description: number): void {
    this.seal(CONTENT.alert, Buffer.from([level === 'fatal' ? 2 : 1, description]))
  }

  private sealShared(): void {
    if (this.shared.length === 0) return
    const content = Buffer.concat(this.shared)
    this.shared = []
    this.seal(CONTENT.handshake, content)
  }

  seal(content: number, bytes: Buffer): void {
    if (content !== CONTENT.handshake) this.sealShared()
    for (const record of this.records.seal(content, bytes)) {
      const units = this.layers.length === 0 ? [record] : this.pass({ type: 'record', ...record })
      for (const unit of units) if ('content' in unit) this.flight.push(unit.bytes)
    }
  }

  private flush(): void {
    this.sealShared()
    if (this.flight.length === 0) return
    const bytes = this.flight.length === 1 ? (this.flight[0] as Buffer) : Buffer.concat(this.flight)
    this.flight = []
    this.outputs.push({ type: 'send', bytes })
  }
}
