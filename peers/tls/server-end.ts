/**
 * TLS as server at the client's end of a connection: reads the ClientHello first and records what the client offered, and hands
 * the connection to an engine, Node's (here) or the legacy one. Records which certificate left, and says when TLS is up or has
 * failed.
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer, type SecureContext, type Server, TLSSocket } from 'node:tls'
import type { Recorder } from '../recorder.ts'
import type { SessionOffer, TlsSession } from '../wire/units.ts'
import { readClientHello, TLS13 } from './client-hello.ts'
import type { LegacyEnd, LegacyGround } from './legacy-end.ts'

/** A certificate and what TLS is to be like with it; made once per peer. */
export interface TlsIdentity {
  /** `good`, or the id of a certificate fault: its firing is recorded as `certificate:<fault>`. */
  readonly certificate: string
  /** One line about the certificate. */
  readonly detail: string
  /** DER, leaf first, as sent. */
  readonly chain: readonly Buffer[]
  /** Node's, or the legacy one. */
  readonly engine: { readonly secureContext: SecureContext } | { readonly legacy: LegacyEnds }
  /** TLS 1.3 is on offer. */
  readonly tls13: boolean
  /** DER of a stapled OCSP response. */
  readonly ocspResponse?: Buffer
  /** Ask for a client certificate; whose it is does not matter. */
  readonly requestCert?: boolean
  /** With {@link requestCert}: a client without one gets an alert (RFC 8446 §4.4.2.4, RFC 5246 §7.4.6). */
  readonly requireCert?: boolean
  /** What a client without SNI (RFC 6066 §3) gets instead. */
  readonly withoutServerName?: TlsIdentity
}

/** Makes the end of a connection at a server of the legacy engine. */
export type LegacyEnds = (
  base: Duplex,
  identity: TlsIdentity,
  recorder: Recorder,
  ground: LegacyGround,
  handlers: ServerEndHandlers,
) => LegacyEnd

export interface ServerEndHandlers {
  /** How the hello offers a session of before. */
  hello(offer: SessionOffer | undefined): void
  /** The certificate has left. */
  presented(): void
  /** Whether a layer answers the hello, so that no TLS is started; asked when the layers have heard of it. */
  answered(): boolean
  up(stream: Duplex, session: TlsSession, resumed: boolean): void
  /** `how` the client ended it: with a FIN, an RST, or TLS itself broke. */
  failed(reason: string, how: 'fin' | 'rst' | 'error'): void
  /** The server breaks off by itself: the connection is to be ended so. After a FIN {@link failed} still comes. */
  broken(how: 'fin' | 'rst'): void
}

/** Collects the ClientHello, then hands the stream to TLS. `first` are octets that came too early and belong to it. */
export function startServerTls(
  base: Duplex,
  given: TlsIdentity,
  first: Buffer,
  recorder: Recorder,
  ground: LegacyGround,
  handlers: ServerEndHandlers,
): void {
  const { host } = ground
  let octets = first
  let settled = false
  const stop = (): void => {
    settled = true
    base.off('data', onData)
    base.off('end', onEnd)
    base.off('close', onEnd)
  }
  const onEnd = (): void => {
    if (settled) return
    stop()
    if (octets.length > 0) recorder.bytes('client', 'in', 'tcp', octets)
    const reason = octets.length === 0 ? 'the client sent nothing after the 220' : 'the client left in its ClientHello'
    recorder.event({ type: 'tls', state: 'failed', side: 'client', reason })
    handlers.failed(reason, 'fin')
  }
  const onData = (chunk: Buffer): void => {
    octets = octets.length === 0 ? chunk : Buffer.concat([octets, chunk])
    read()
  }
  const read = (): void => {
    const reading = readClientHello(octets)
    if (reading.state === 'more') return
    stop()
    base.pause()
    const hello =
      reading.state === 'hello'
        ? reading.hello
        : {
            format: 'none' as const,
            recordVersion: 0,
            legacyVersion: 0,
            versions: [],
            cipherSuites: [],
            alpn: [],
            groups: [],
            signatureAlgorithms: [],
            extensions: [],
          }
    recorder.event({ type: 'tls', state: 'hello', side: 'client', hello, data: octets })
    const identity = (hello.serverName === undefined ? given.withoutServerName : undefined) ?? given
    if (reading.state === 'none') recorder.bytes('client', 'in', 'tcp', octets)
    handlers.hello(hello.session)
    const tls13 = identity.tls13 && hello.versions.includes(TLS13)
    const staple = identity.ocspResponse !== undefined && hello.extensions.includes(STATUS_REQUEST)
    const goOn = (): void => {
      if (base.destroyed) return
      if (handlers.answered()) {
        withoutTls(base, recorder, handlers)
        return
      }
      const { engine } = identity
      if ('legacy' in engine) {
        engine.legacy(base, identity, recorder, ground, handlers).start(octets, hello.format === 'tls')
        return
      }
      base.unshift(octets)
      handshake(base, { ...identity, tls13, staple }, engine.secureContext, recorder, host, handlers)
    }
    // The layers of a record plane are still busy with the octets that brought the hello.
    if (isRecordPlane(base)) process.nextTick(goOn)
    else goOn()
  }
  base.on('data', onData)
  base.on('end', onEnd)
  base.on('close', onEnd)
  if (octets.length > 0) read()
  // A client that has said all before TLS began will not say hello.
  if (base.readableEnded) onEnd()
  base.resume()
}

/** Nobody speaks TLS here: what the client still sends (an alert) is dropped until it goes. */
function withoutTls(base: Duplex, recorder: Recorder, handlers: ServerEndHandlers): void {
  let over = false
  const onEnd = (): void => {
    if (over) return
    over = true
    const reason = 'the client left after its ClientHello'
    recorder.event({ type: 'tls', state: 'failed', side: 'client', reason })
    handlers.failed(reason, 'fin')
  }
  base.on('end', onEnd)
  base.on('close', onEnd)
  base.resume()
}

/** The extension by which a client asks for a stapled response, RFC 6066 §8. */
const STATUS_REQUEST = 5

/**
 * How OpenSSL says that it refuses the ClientHello: no version, suite, group or signature algorithm is shared. Then the host has
 * come to no certificate.
 */
const OWN_REFUSALS: ReadonlySet<string> = new Set([
  'ERR_SSL_UNSUPPORTED_PROTOCOL',
  'ERR_SSL_VERSION_TOO_LOW',
  'ERR_SSL_NO_SHARED_CIPHER',
  'ERR_SSL_NO_SUITABLE_KEY_SHARE',
  'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM',
  'ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS',
])

function handshake(
  base: Duplex,
  identity: TlsIdentity & { readonly staple: boolean },
  secureContext: SecureContext,
  recorder: Recorder,
  host: string,
  handlers: ServerEndHandlers,
): void {
  // Else a client that goes away in mid-handshake leaves the session open.
  ;(base as Socket).allowHalfOpen = false
  const stream = new TLSSocket(base as Socket, {
    isServer: true,
    ...(identity.ocspResponse === undefined ? {} : { server: stapler(identity.ocspResponse, () => fire()) }),
    secureContext,
    requestCert: identity.requestCert ?? false,
    rejectUnauthorized: identity.requireCert ?? false,
  })
  let state: 'handshake' | 'up' | 'failed' = 'handshake'
  let presented = false
  let resumed = false
  let serverSecret: Buffer | undefined
  const before = octetsSent(base)
  const beneathLayers = isRecordPlane(base)
  const flight = identity.chain.reduce((sum, { length }) => sum + length, 0)
  const isFault = identity.certificate !== 'good' && (identity.ocspResponse === undefined || identity.staple)
  const prove = (type: 'opportunity' | 'fired', detail: string): void => {
    if (isFault) recorder.event({ type, behaviour: `certificate:${identity.certificate}`, host, detail })
  }
  /** The ClientHello was one that a certificate is due to. */
  let due = false
  const come = (): void => {
    if (!due) prove('opportunity', 'a ClientHello arrived')
    due = true
  }
  const fire = (): void => {
    come()
    prove('fired', identity.detail)
  }
  const present = (): void => {
    // A resumed session has no certificate (RFC 8446 §2.2, RFC 5246 §7.3).
    if (presented || resumed) return
    presented = true
    come()
    recorder.event({ type: 'tls', state: 'presented', side: 'client', chain: identity.chain })
    // A fault of the stapled response has fired when that was handed out, to a client that asked for it.
    if (identity.ocspResponse === undefined) fire()
    handlers.presented()
  }
  stream.on('keylog', (line: Buffer) => {
    const text = line.toString('latin1').trim()
    // OpenSSL knows it by now. Asked when TLS has failed it would follow a null pointer.
    resumed ||= stream.isSessionReused()
    recorder.event({ type: 'tls', state: 'secret', side: 'client', line: text })
    if (text.startsWith('SERVER_TRAFFIC_SECRET_0 ')) serverSecret = Buffer.from(text.split(' ').at(-1) ?? '', 'hex')
    // The secret is made with the ServerHello, whose flight holds the certificate; what layers let through is seen later.
    if (!beneathLayers && text.startsWith('SERVER_HANDSHAKE_TRAFFIC_SECRET')) present()
  })
  const fail = (reason: string, how: 'fin' | 'rst' | 'error', code = '', alert?: string): void => {
    if (state !== 'handshake') return
    state = 'failed'
    if (!OWN_REFUSALS.has(code)) come()
    // A flight that is longer than the chain holds it.
    if ((beneathLayers || !identity.tls13) && octetsSent(base) - before > flight) present()
    recorder.event({ type: 'tls', state: 'failed', side: 'client', reason, ...(alert === undefined ? {} : { alert }) })
    handlers.failed(reason, how)
  }
  stream.on('secure', () => {
    if (state !== 'handshake') return
    state = 'up'
    present()
    const session = {
      version: stream.getProtocol() ?? 'unknown',
      cipher: stream.getCipher()?.standardName ?? 'unknown',
      // A resumed session remembers the one of before, and nothing was sent.
      clientChain: identity.requestCert === true && !resumed ? clientChain(stream) : [],
    }
    recorder.event({ type: 'tls', state: 'up', side: 'client', ...session, resumed })
    handlers.up(stream, serverSecret === undefined ? session : { ...session, serverSecret }, resumed)
  })
  stream.on('error', (error: NodeJS.ErrnoException) =>
    fail(error.message, error.code === 'ECONNRESET' ? 'rst' : 'error', error.code, alertOf(error)),
  )
  stream.on('close', () => fail('the connection was closed in the handshake', 'fin'))
}

/** What the client sent, in the order of the wire; Node's own chain property re-orders it. */
function clientChain(stream: TLSSocket): Buffer[] {
  const chain: Buffer[] = []
  for (
    let next = stream.getPeerX509Certificate();
    next !== undefined && chain.length < 32;
    next = next.issuerCertificate
  ) {
    chain.push(next.raw)
  }
  return chain
}

/** Layers under TLS decide what leaves. */
function isRecordPlane(base: Duplex): boolean {
  return 'bytesSent' in base
}

function octetsSent(base: Duplex): number {
  const { bytesSent, bytesWritten } = base as { bytesSent?: number; bytesWritten?: number }
  return bytesSent ?? bytesWritten ?? 0
}

/** `unknown_ca` from OpenSSL's "tlsv1 alert unknown ca"; undefined when the other side sent no alert. */
export function alertOf(error: NodeJS.ErrnoException): string | undefined {
  const found = /_ALERT_([A-Z0-9_]+)$/.exec(error.code ?? '')
  return found?.[1]?.toLowerCase()
}

/** Node asks a server object for the stapled response; it listens nowhere. */
function stapler(response: Buffer, stapled: () => void): Server {
  const server = createServer()
  server.on('OCSPRequest', (_certificate, _issuer, done) => {
    stapled()
    done(null, response)
  })
  return server
}
