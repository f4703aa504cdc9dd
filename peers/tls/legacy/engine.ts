/**
 * The legacy TLS engine, server side: octets of the client in, octets for it and events out; plaintext both ways. SSL 3.0 to
 * TLS 1.2, weak on purpose. A pure state machine: no socket, timer or clock, and randomness that it is given.
 *
 * What always holds: nothing is thrown, a client that breaks the protocol gets an alert and the engine is over with its reason;
 * an engine that is over sends nothing and reads nothing.
 */
import { type ClientHello, parseClientHello, parseSslv2Hello } from './client-hello.ts'
import { Handshake, type HandshakeResult, type HandshakeWire, type VerifyData } from './handshake.ts'
import type { TlsLayer } from './layer.ts'
import { Refusal } from './negotiation.ts'
import { Outbox } from './outbox.ts'
import type { Protection, RandomOctets } from './protection.ts'
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
import { MessageReader, type Record, RecordReader, type Sslv2Hello } from './record-reader.ts'
import type { LegacyServer } from './server.ts'

export type EngineOutput =
  /** Octets to be written at once. */
  | { readonly type: 'send'; readonly bytes: Buffer }
  /** Plaintext of the client. */
  | { readonly type: 'data'; readonly bytes: Buffer }
  | { readonly type: 'secret'; readonly line: string }
  /** DER, leaf first, as it leaves. */
  | { readonly type: 'presented'; readonly chain: readonly Buffer[] }
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
  /** The end, with its reason. `alert` is what the client sent, where it did; `refused`: the server wants nothing of it. */
  | { readonly type: 'failed'; readonly reason: string; readonly alert?: string; readonly refused?: true }
  /** The connection is to be ended so; after `stall` it stays open and nobody answers. */
  | { readonly type: 'end'; readonly how: 'fin' | 'rst' | 'stall' }
  | { readonly type: 'opportunity' | 'fired'; readonly layer: number; readonly detail: string }

export class LegacyEngine implements HandshakeWire {
  private readonly server: LegacyServer
  private readonly random: RandomOctets
  private readonly out: Outbox
  private readonly reader = new RecordReader()
  private messages = new MessageReader()
  private handshake: Handshake
  private verifyData: VerifyData | undefined
  private state: 'handshake' | 'up' | 'renegotiation' = 'handshake'
  /** Plaintext that waits for the end of a renegotiation. */
  private heldBack: Buffer[] = []

  constructor(server: LegacyServer, random: RandomOctets, layers: readonly TlsLayer[]) {
    this.server = server
    this.random = random
    this.out = new Outbox(layers, server.options.content, server.options.packing === 'shared')
    this.handshake = new Handshake(server, this, random)
  }

  /** Octets that came from the client. */
  receive(octets: Buffer): readonly EngineOutput[] {
    return this.guarded(() => {
      this.reader.push(octets)
      while (!this.out.over) {
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
      else if (this.state === 'up') this.out.seal(CONTENT.applicationData, bytes)
    })
  }

  /** Sends close_notify; the engine is over. */
  close(): readonly EngineOutput[] {
    return this.guarded(() => {
      if (this.out.over) return
      this.out.alert('warning', ALERTS.close_notify)
      this.out.over = true
    })
  }

  /** The client has ended the connection without a word. */
  end(): readonly EngineOutput[] {
    return this.guarded(() => {
      if (!this.out.over && this.state === 'handshake') this.failed('the client left in the handshake')
      this.out.over = true
    })
  }

  /** Runs `step`, turns what the client did wrong into an alert, and gives what came of it. */
  private guarded(step: () => void): readonly EngineOutput[] {
    try {
      step()
    } catch (error) {
      this.broken(asProtocolError(error))
    }
    return this.out.drain()
  }

  private broken(error: ProtocolError): void {
    if (this.out.over) return
    const { alert, message: reason } = error
    if (error instanceof Refusal) {
      this.out.put({ type: 'failed', reason, refused: true })
      if (this.out.pass({ type: 'refusal', alert, reason }).length === 0 || this.out.over) return
      this.out.alert('fatal', ALERTS[alert])
    } else {
      this.out.alert('fatal', ALERTS[alert])
      this.failed(reason)
    }
    this.out.finish('fin')
  }

  private failed(reason: string, alert?: string): void {
    this.out.put({ type: 'failed', reason, ...(alert === undefined ? {} : { alert }) })
  }

  // In

  private take(record: Record | Sslv2Hello): void {
    if (record.type === 'sslv2-hello') {
      this.begin(parseSslv2Hello(record.message), record.message)
      return
    }
    const content = this.out.records.open(record)
    switch (record.type) {
      case CONTENT.handshake:
        this.messages.push(content)
        for (let next = this.messages.next(); next !== undefined && !this.out.over; next = this.messages.next())
          this.message(next)
        break
      case CONTENT.changeCipherSpec:
        if (!this.messages.empty || content.length !== 1 || content[0] !== 1)
          throw new ProtocolError('unexpected_message', 'ChangeCipherSpec in the middle of a message, or not 1')
        if (this.out.pass({ type: 'message', from: 'client', name: 'change-cipher-spec', bytes: content }).length > 0) {
          this.handshake.changeCipherSpec()
          this.out.tell({ type: 'past', from: 'client', name: 'change-cipher-spec' })
        }
        break
      case CONTENT.alert:
        this.clientAlert(content)
        break
      case CONTENT.applicationData:
        if (this.state === 'handshake')
          throw new ProtocolError('unexpected_message', 'data before the end of the handshake')
        if (content.length > 0) this.out.put({ type: 'data', bytes: content })
        break
      default:
        // Nobody agreed to heartbeats, RFC 6520 §3: `no-heartbeat-answer` of the judge looks for this reason.
        throw new ProtocolError('unexpected_message', `a heartbeat of ${content.length} octets`)
    }
  }

  private message(bytes: Buffer): void {
    const name = handshakeName(bytes[0] as number)
    if (name === undefined) throw new ProtocolError('unexpected_message', `a handshake message of type ${bytes[0]}`)
    const [unit] = this.out.pass({ type: 'message', from: 'client', name, bytes })
    if (unit?.type !== 'message' || this.out.over) return
    if (name === 'client-hello') this.begin(parseClientHello(unit.bytes.subarray(4)), bytes)
    else this.handshake.receive(name, unit.bytes)
    this.out.tell({ type: 'past', from: 'client', name })
  }

  private begin(hello: ClientHello, message: Buffer): void {
    if (this.state === 'up') {
      if (this.server.options.clientRenegotiation === 'refuse') {
        this.out.alert('warning', ALERTS.no_renegotiation)
        return
      }
      this.state = 'renegotiation'
      this.handshake = new Handshake(this.server, this, this.random, this.verifyData)
    } else this.out.records.version = Math.min(Math.max(hello.version, SSL3), this.server.max)
    const [unit] = this.out.pass({ type: 'hello', hello })
    if (unit?.type === 'hello' && !this.out.over) this.handshake.begin(unit.hello, message)
  }

  private clientAlert(content: Buffer): void {
    const [level, description] = content
    if (content.length !== 2 || level === undefined || description === undefined)
      throw new ProtocolError('decode_error', `an alert of ${content.length} octets`)
    const name = alertName(description)
    if (description === ALERTS.close_notify) {
      if (this.state === 'handshake') {
        this.failed('the client closed TLS in the handshake', name)
        this.out.finish('fin')
      } else this.out.put({ type: 'closed' })
      return
    }
    if (level === 1) {
      if (description === ALERTS.no_certificate) this.handshake.noCertificate()
      return
    }
    this.failed(`the client sent the alert ${name}`, name)
    this.out.finish('fin')
  }

  // What a handshake does

  send(name: MessageName, message: Buffer): readonly Buffer[] {
    return this.out.send(name, message)
  }

  serverRandom(random: Buffer): Buffer {
    const [unit] = this.out.pass({ type: 'server-random', bytes: random })
    return unit?.type === 'server-random' ? unit.bytes : random
  }

  settle(version: number): void {
    this.out.records.version = version
  }

  activate(direction: 'read' | 'write', protection: Protection): void {
    if (direction === 'write') this.out.activate(protection)
    else {
      this.messages = new MessageReader()
      this.out.records.activate('read', protection)
    }
  }

  secret(line: string): void {
    this.out.put({ type: 'secret', line })
  }

  presented(chain: readonly Buffer[]): void {
    this.out.put({ type: 'presented', chain })
  }

  done({ version, suite, resumed, clientChain, verifyData }: HandshakeResult): void {
    if (this.out.over) return
    const first = this.state === 'handshake'
    this.state = 'up'
    this.verifyData = verifyData
    if (first) {
      this.out.put({ type: 'up', version: versionName(version), cipher: suite.standardName, resumed, clientChain })
      this.out.tell({ type: 'up' })
    }
    const held = this.heldBack
    this.heldBack = []
    for (const bytes of held) this.out.seal(CONTENT.applicationData, bytes)
  }
}

/** An exception that is none of the client's faults is one of ours; it must not end the program, and must be seen. */
function asProtocolError(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new ProtocolError('internal_error', `internal error: ${reason}`)
}
