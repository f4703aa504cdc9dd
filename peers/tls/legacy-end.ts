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

/** `octets` are all that came so far; `records`: they are TLS records, and no SSLv2-format hello nor anything else. */
export function startLegacyTls(
  base: Duplex,
  identity: TlsIdentity,
  server: LegacyServer,
  octets: Buffer,
  records: boolean,
  recorder: Recorder,
  { host, tlsLayers, tlsRandom }: LegacyGround,
  handlers: ServerEndHandlers,
): void {
  let state: 'handshake' | 'up' | 'failed' = 'handshake'
  let reason = 'the connection was closed in the handshake'
  let how: 'fin' | 'rst' | 'error' = 'fin'
  let gone = false
  const fail = (why: string, alert?: string): void => {
    state = 'failed'
    reason = why
    recorder.event({ type: 'tls', state: 'failed', side: 'client', reason, ...(alert === undefined ? {} : { alert }) })
  }
  const prove = (type: 'opportunity' | 'fired', detail: string): void => {
    if (identity.certificate !== 'good')
      recorder.event({ type, behaviour: `certificate:${identity.certificate}`, host, detail })
  }
  const news = (event: EngineNews): void => {
    switch (event.type) {
      case 'secret':
        recorder.event({ type: 'tls', state: 'secret', side: 'client', line: event.line })
        break
      case 'presented':
        prove('opportunity', 'a ClientHello arrived')
        recorder.event({ type: 'tls', state: 'presented', side: 'client', chain: event.chain })
        prove('fired', identity.detail)
        break
      case 'up': {
        const { version, cipher, resumed, clientChain } = event
        state = 'up'
        recorder.event({ type: 'tls', state: 'up', side: 'client', version, cipher, resumed, clientChain })
        handlers.up(stream, { version, cipher, clientChain })
        break
      }
      case 'failed':
        how = event.refused === true ? 'fin' : 'error'
        if (state === 'up') stream.destroy(brokenTls(event.reason, event.alert))
        else fail(event.reason, event.alert)
        break
      case 'end':
        if (state === 'handshake') {
          fail(`the server broke off the handshake (${event.how})`)
          if (event.how !== 'stall') handlers.broken(event.how)
        } else if (event.how !== 'stall' && !stream.destroyed) {
          if (how === 'error') base.end()
          else handlers.broken(event.how)
        }
        break
      default:
        recorder.event({
          type: event.type,
          behaviour: tlsLayers[event.layer]?.behaviour ?? '',
          host,
          detail: event.detail,
          offset: recorder.offset,
        })
    }
  }
  const splitter = new RecordSplitter()
  const clear = (chunk: Buffer): void => {
    for (const { layer, bytes } of splitter.split(chunk))
      if (layer === 'tcp') recorder.bytes('client', 'in', 'tcp', bytes)
  }
  const onGone = (): void => {
    if (gone || state === 'up') return
    gone = true
    if (state === 'handshake') fail(reason)
    handlers.failed(reason, how)
  }
  const engine = new LegacyEngine(
    server,
    tlsRandom,
    tlsLayers.map(({ layer }) => layer),
  )
  const stream = new LegacyStream(base, engine, news)
  if (records) clear(octets)
  base.on('data', clear)
  base.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNRESET') how = 'rst'
  })
  stream.begin(octets)
  base.on('end', onGone)
  base.on('close', onGone)
}

/** With a code like OpenSSL's, by which {@link alertOf} finds the alert. */
function brokenTls(reason: string, alert: string | undefined): Error {
  const error: NodeJS.ErrnoException = new Error(reason)
  if (alert !== undefined) error.code = `BADMX_TLS_ALERT_${alert.toUpperCase()}`
  return error
}
