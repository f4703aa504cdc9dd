/**
 * The legacy TLS engine, server side: octets of the client in, octets for it and events out; plaintext both ways. SSL 3.0 to
 * TLS 1.2, weak on purpose. A pure state machine: no socket, timer or clock, and randomness that it is given.
 *
 * What always holds: nothing is thrown, a client that breaks the protocol gets an alert and the engine is over with its reason;
 * an engine that is over sends nothing and reads nothing.
 */
import { type ClientHello, parseClientHello, parseSslv2Hello } from './client-hello.ts'
import { Handshake, type HandshakeResult, type HandshakeWire, type VerifyData } from './handshake.ts'
import type { TlsEvent, TlsLayer, TlsOutput, TlsUnit } from './layer.ts'
import { Refusal } from './negotiation.ts'
import type { RandomOctets } from './protection.ts'
import {
  ALERTS,
  alertName,
  CONTENT,
  handshakeName,
  type MessageName,
  ProtocolError,
  SSL3,
  versionName,
} from './protocol.ts'
import { RecordLayer } from './record-layer.ts'
import { MessageReader, type Record, RecordReader, type Sslv2Hello } from './record-reader.ts'
import type { LegacyServer } from './server.ts'

export type EngineOutput =
  /** Octets to be written at once. */
  | { readonly type: 'send'; readonly bytes: Buffer }
  /** Plaintext of the client. */
  | { readonly type: 'data'; readonly bytes: Buffer }
  | { readonly type: 'secret'; readonly line: string }
  | { readonly type: 'presented' }
  /** The first handshake is over. `cipher` is the IANA name. */
  | {
      readonly type: 'up'
      readonly version: string
      readonly cipher: string
      readonly resumed: boolean
      readonly clientChain: readonly Buffer[]
    }
  /** The client's close_notify. */
  | { readonly type: 'closed' }
  /** The end, with its reason; `alert` is what the client sent, where it did. */
  | { readonly type: 'failed'; readonly reason: string; readonly alert?: string }
  /** The connection is to be ended so; after `stall` it stays open and nobody answers. */
  | { readonly type: 'end'; readonly how: 'fin' | 'rst' | 'stall' }
  | { readonly type: 'opportunity' | 'fired'; readonly layer: number; readonly detail: string }

export class LegacyEngine implements HandshakeWire {
  private readonly server: LegacyServer
  private readonly random: RandomOctets
  /** The one nearest to the client first. */
  private readonly layers: readonly TlsLayer[]
  private readonly reader = new RecordReader()
  private messages = new MessageReader()
  private readonly records: RecordLayer
  private handshake: Handshake
  private verifyData: VerifyData | undefined
  private state: 'handshake' | 'up' | 'renegotiation' | 'over' = 'handshake'
  private outputs: EngineOutput[] = []
  /** Records, and content that has no record yet, that wait to be sent together. */
  private flight: Buffer[] = []
  private shared: Buffer[] = []
  /** Plaintext that waits for the end of a renegotiation. */
  private heldBack: Buffer[] = []

  constructor(server: LegacyServer, random: RandomOctets, layers: readonly TlsLayer[]) {
    this.server = server
    this.random = random
    this.layers = layers
    this.records = new RecordLayer(server.options.content)
    this.handshake = new Handshake(server, this, random)
  }

  /** Octets that came from the client. */
  receive(octets: Buffer): readonly EngineOutput[] {
    return this.guarded(() => {
      this.reader.push(octets)
      while (this.state !== 'over') {
        const record = this.reader.next()
        if (record === undefined) break
        this.take(record)
      }
    })
  }

  /** Plaintext for the client, once TLS is up. */
  write(bytes: Buffer): readonly EngineOutput[] {
    return this.guarded(() => {
      if (this.state === 'renegotiation') this.heldBack.push(bytes)
      else if (this.state === 'up') this.sealed(CONTENT.applicationData, bytes)
    })
  }

  /** Sends close_notify; the engine is over. */
  close(): readonly EngineOutput[] {
    return this.guarded(() => {
      if (this.state === 'over') return
      this.alert('warning', ALERTS.close_notify)
      this.flush()
      this.state = 'over'
    })
  }

  /** The client has ended the connection without a word. */
  end(): readonly EngineOutput[] {
    return this.guarded(() => {
      if (this.state === 'over') return
      const where = this.state === 'up' ? 'without close_notify' : 'in the handshake'
      if (this.state === 'handshake') this.failed(`the client left ${where}`)
      this.state = 'over'
    })
  }

  get over(): boolean {
    return this.state === 'over'
  }

  /** Runs `step`, turns what the client did wrong into an alert, and gives what came of it. */
  private guarded(step: () => void): readonly EngineOutput[] {
    this.outputs = []
    try {
      step()
    } catch (error) {
      this.broken(error instanceof Refusal ? error : asProtocolError(error))
    }
    this.flush()
    return this.outputs
  }

  private broken(error: ProtocolError): void {
    if (this.state === 'over') return
    const how = error instanceof Refusal ? this.server.options.refusal : 'alert'
    if (how === 'alert') this.alert('fatal', ALERTS[error.alert])
    this.failed(error.message)
    this.finish(how === 'alert' ? 'fin' : how)
  }

  private failed(reason: string, alert?: string): void {
    this.flush()
    this.outputs.push({ type: 'failed', reason, ...(alert === undefined ? {} : { alert }) })
  }

  private finish(how: 'fin' | 'rst' | 'stall'): void {
    this.flush()
    this.state = 'over'
    this.outputs.push({ type: 'end', how })
  }

  // In

  private take(record: Record | Sslv2Hello): void {
    if (record.type === 'sslv2-hello') {
      this.begin(parseSslv2Hello(record.message), record.message)
      return
    }
    const content = this.records.open(record)
    switch (record.type) {
      case CONTENT.handshake:
        this.messages.push(content)
        for (let next = this.messages.next(); next !== undefined && this.state !== 'over'; next = this.messages.next())
          this.message(next)
        break
      case CONTENT.changeCipherSpec:
        if (!this.messages.empty || content.length !== 1 || content[0] !== 1)
          throw new ProtocolError('unexpected_message', 'ChangeCipherSpec in the middle of a message, or not 1')
        if (this.pass({ type: 'message', from: 'client', name: 'change-cipher-spec', bytes: content }).length > 0)
          this.handshake.changeCipherSpec()
        break
      case CONTENT.alert:
        this.clientAlert(content)
        break
      case CONTENT.applicationData:
        if (this.state === 'handshake')
          throw new ProtocolError('unexpected_message', 'data before the end of the handshake')
        if (content.length > 0) this.outputs.push({ type: 'data', bytes: content })
        break
      default:
        // A heartbeat that nobody agreed to, RFC 6520 §3.
        throw new ProtocolError('unexpected_message', `a record of type ${record.type}`)
    }
  }

  private message(bytes: Buffer): void {
    const name = handshakeName(bytes[0] as number)
    if (name === undefined) throw new ProtocolError('unexpected_message', `a handshake message of type ${bytes[0]}`)
    const [unit] = this.pass({ type: 'message', from: 'client', name, bytes })
    if (unit?.type !== 'message' || this.state === 'over') return
    if (name === 'client-hello') this.begin(parseClientHello(unit.bytes.subarray(4)), bytes)
    else this.handshake.receive(name, unit.bytes)
  }

  private begin(hello: ClientHello, message: Buffer): void {
    if (this.state === 'up') {
      if (this.server.options.clientRenegotiation === 'refuse') {
        this.alert('warning', ALERTS.no_renegotiation)
        return
      }
      this.state = 'renegotiation'
      this.handshake = new Handshake(this.server, this, this.random, this.verifyData)
    } else this.records.version = Math.min(Math.max(hello.version, SSL3), this.server.max)
    const [unit] = this.pass({ type: 'hello', hello })
    if (unit?.type === 'hello' && !this.over) this.handshake.begin(unit.hello, message)
  }

  private clientAlert(content: Buffer): void {
    const [level, description] = content
    if (content.length !== 2 || level === undefined || description === undefined)
      throw new ProtocolError('decode_error', `an alert of ${content.length} octets`)
    const name = alertName(description)
    if (description === ALERTS.close_notify) {
      if (this.state === 'handshake') {
        this.failed('the client closed TLS in the handshake', name)
        this.finish('fin')
      } else this.outputs.push({ type: 'closed' })
      return
    }
    if (level === 1) {
      if (description === ALERTS.no_certificate) this.handshake.noCertificate()
      return
    }
    this.failed(`the client sent the alert ${name}`, name)
    this.finish('fin')
  }

  // What a handshake does

  send(name: MessageName, message: Buffer): readonly Buffer[] {
    if (this.over) return []
    const units = this.pass({ type: 'message', from: 'server', name, bytes: message })
    const left = units.flatMap((unit) => (unit.type === 'message' ? [unit.bytes] : []))
    if (this.over) return []
    for (const bytes of left) this.content(name, bytes)
    this.tell({ type: 'sent', name })
    return left
  }

  private content(name: MessageName, bytes: Buffer): void {
    if (name === 'change-cipher-spec') this.sealed(CONTENT.changeCipherSpec, bytes)
    else if (this.server.options.packing === 'shared') this.shared.push(bytes)
    else this.sealed(CONTENT.handshake, bytes)
  }

  serverRandom(random: Buffer): Buffer {
    const [unit] = this.pass({ type: 'server-random', bytes: random })
    return unit?.type === 'server-random' ? unit.bytes : random
  }

  settle(version: number): void {
    this.records.version = version
  }

  activate(...[direction, protection]: Parameters<RecordLayer['activate']>): void {
    if (direction === 'write') this.sealShared()
    else this.messages = new MessageReader()
    this.records.activate(direction, protection)
  }

  secret(line: string): void {
    this.outputs.push({ type: 'secret', line })
  }

  presented(): void {
    if (!this.over) this.outputs.push({ type: 'presented' })
  }

  done({ version, suite, resumed, clientChain, verifyData }: HandshakeResult): void {
    if (this.over) return
    const first = this.state === 'handshake'
    this.state = 'up'
    this.verifyData = verifyData
    this.flush()
    if (first) {
      this.outputs.push({ type: 'up', version: versionName(version), cipher: suite.standardName, resumed, clientChain })
      this.tell({ type: 'up' })
    }
    const held = this.heldBack
    this.heldBack = []
    for (const bytes of held) this.sealed(CONTENT.applicationData, bytes)
  }

  // Out

  /** A unit on its way through the layers, from the nearest to the client or towards it; what comes out at the end. */
  private pass(unit: TlsUnit): readonly TlsUnit[] {
    const inwards = unit.type === 'hello' || (unit.type === 'message' && unit.from === 'client')
    let units: readonly TlsUnit[] = [unit]
    for (let step = 0; step < this.layers.length; step++) {
      const layer = inwards ? step : this.layers.length - 1 - step
      units = units.flatMap((each) => this.ask(layer, each))
    }
    return units
  }

  private tell(event: TlsEvent): void {
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
        this.sealed(output.content, output.bytes)
        return true
      case 'alert':
        this.alert(output.level, typeof output.alert === 'number' ? output.alert : ALERTS[output.alert])
        return true
      case 'hello-request':
        this.content('hello-request', Buffer.from([0, 0, 0, 0]))
        return true
      case 'end':
        this.finish(output.how)
        return true
      case 'opportunity':
      case 'fired':
        this.outputs.push({ type: output.type, layer, detail: output.detail })
        return true
      default:
        return false
    }
  }

  private alert(level: 'warning' | 'fatal', description: number): void {
    this.sealed(CONTENT.alert, Buffer.from([level === 'fatal' ? 2 : 1, description]))
  }

  private sealShared(): void {
    if (this.shared.length === 0) return
    const content = Buffer.concat(this.shared)
    this.shared = []
    this.sealed(CONTENT.handshake, content)
  }

  private sealed(content: number, bytes: Buffer): void {
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

/** An exception that is none of the client's faults is one of ours; it must not end the program, and must be seen. */
function asProtocolError(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new ProtocolError('internal_error', `internal error: ${reason}`)
}
