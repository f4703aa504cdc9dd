/**
 * TLS as server at the client's end by the legacy engine: writes what it does into the event log, and tells the session.
 *
 * What always holds: octets that are no TLS are recorded as cleartext, whenever they come; a handshake that is broken off is
 * recorded at once, and the session hears of it when the client has gone.
 */
import type { Duplex } from 'node:stream'
import type { Recorder } from '../recorder.ts'
import type { NamedTlsLayer } from '../session-parts.ts'
import { LegacyEngine } from './legacy/engine.ts'
import type { RandomOctets } from './legacy/protection.ts'
import type { LegacyServer } from './legacy/server.ts'
import { type EngineNews, LegacyStream } from './legacy-stream.ts'
import { RecordSplitter } from './records.ts'
import type { ServerEndHandlers, TlsIdentity } from './server-end.ts'

export interface LegacyGround {
  readonly host: string
  readonly tlsLayers: readonly NamedTlsLayer[]
  readonly tlsRandom: RandomOctets
}

type Of<Type extends EngineNews['type']> = Extract<EngineNews, { type: Type }>

export class LegacyEnd {
  private readonly base: Duplex
  private readonly identity: TlsIdentity
  private readonly recorder: Recorder
  private readonly ground: LegacyGround
  private readonly handlers: ServerEndHandlers
  private readonly stream: LegacyStream
  private readonly splitter = new RecordSplitter()
  private state: 'handshake' | 'up' | 'failed' = 'handshake'
  private reason = 'the connection was closed in the handshake'
  private how: 'fin' | 'rst' | 'error' = 'fin'
  private gone = false

  constructor(
    base: Duplex,
    identity: TlsIdentity,
    server: LegacyServer,
    recorder: Recorder,
    ground: LegacyGround,
    handlers: ServerEndHandlers,
  ) {
    this.base = base
    this.identity = identity
    this.recorder = recorder
    this.ground = ground
    this.handlers = handlers
    const layers = ground.tlsLayers.map(({ layer }) => layer)
    this.stream = new LegacyStream(base, new LegacyEngine(server, ground.tlsRandom, layers), (news) => this.hear(news))
  }

  /** `octets` are all that came so far; `records`: they are TLS records, and no SSLv2-format hello nor anything else. */
  start(octets: Buffer, records: boolean): void {
    const { base } = this
    if (records) this.findClear(octets)
    base.on('data', (chunk: Buffer) => this.findClear(chunk))
    base.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') this.how = 'rst'
    })
    this.stream.begin(octets)
    base.on('end', () => this.leave())
    base.on('close', () => this.leave())
  }

  private hear(news: EngineNews): void {
    const { recorder } = this
    switch (news.type) {
      case 'secret':
        recorder.event({ type: 'tls', state: 'secret', side: 'client', line: news.line })
        break
      case 'presented':
        this.prove('opportunity', 'a ClientHello arrived')
        recorder.event({ type: 'tls', state: 'presented', side: 'client', chain: news.chain })
        this.prove('fired', this.identity.detail)
        this.handlers.presented()
        break
      case 'up':
        this.up(news)
        break
      case 'failed':
        this.how = news.refused === true ? 'fin' : 'error'
        if (this.state === 'up') this.stream.destroy(brokenTls(news.reason, news.alert))
        else this.fail(news.reason, news.alert)
        break
      case 'end':
        this.end(news.how)
        break
      default:
        this.layerProof(news)
    }
  }

  private up({ version, cipher, resumed, clientChain }: Of<'up'>): void {
    this.state = 'up'
    this.recorder.event({ type: 'tls', state: 'up', side: 'client', version, cipher, resumed, clientChain })
    this.handlers.up(this.stream, { version, cipher, clientChain }, resumed)
  }

  private fail(reason: string, alert?: string): void {
    this.state = 'failed'
    this.reason = reason
    const told = alert === undefined ? {} : { alert }
    this.recorder.event({ type: 'tls', state: 'failed', side: 'client', reason, ...told })
  }

  /** The engine wants the connection to end: because TLS broke at the client's side, or because the server or a layer wills it. */
  private end(how: Of<'end'>['how']): void {
    const own = this.state === 'handshake'
    if (own) this.fail(`the server broke off the handshake (${how})`)
    if (how === 'stall' || this.stream.destroyed) return
    if (this.how === 'error' && !own) this.base.end()
    else this.handlers.broken(how)
  }

  private leave(): void {
    if (this.gone || this.state === 'up') return
    this.gone = true
    if (this.state === 'handshake') this.fail(this.reason)
    this.handlers.failed(this.reason, this.how)
  }

  /** The proof of a certificate fault. */
  private prove(type: 'opportunity' | 'fired', detail: string): void {
    const { certificate } = this.identity
    if (certificate === 'good') return
    this.recorder.event({ type, behaviour: `certificate:${certificate}`, host: this.ground.host, detail })
  }

  /** The proof of a layer inside the engine. */
  private layerProof({ type, layer, detail }: Of<'opportunity' | 'fired'>): void {
    const { host, tlsLayers } = this.ground
    const { offset } = this.recorder
    this.recorder.event({ type, behaviour: tlsLayers[layer]?.behaviour ?? '', host, detail, offset })
  }

  private findClear(chunk: Buffer): void {
    for (const { layer, bytes } of this.splitter.split(chunk))
      if (layer === 'tcp') this.recorder.bytes('client', 'in', 'tcp', bytes)
  }
}

/** With a code like OpenSSL's, by which {@link alertOf} finds the alert. */
function brokenTls(reason: string, alert: string | undefined): Error {
  const error: NodeJS.ErrnoException = new Error(reason)
  if (alert !== undefined) error.code = `BADMX_TLS_ALERT_${alert.toUpperCase()}`
  return error
}
