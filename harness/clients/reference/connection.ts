/**
 * The reference client's only place for sockets, TLS and time: a {@link Wire} over TCP. TLS runs over a stream of ours
 * rather than over the socket, so that the socket survives it (some flaws go on in clear on the same connection).
 *
 * What always holds: nothing received before TLS is given to TLS by accident, or the other way round; every promise
 * settles, at the latest when its limit passes, the signal fires or the connection ends; {@link Connection.close} and
 * {@link Connection.destroy} leave neither socket nor timer behind.
 */
import { X509Certificate } from 'node:crypto'
import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket, type TLSSocketOptions } from 'node:tls'
import { BeneathTls } from './beneath-tls.ts'
import type { Presented } from './certificate.ts'
import { contextOf } from './context.ts'
import type { Secured, Wire } from './dialogue.ts'
import { Failure, type FailureKind, type Stage } from './failure.ts'

export interface Target {
  readonly address: string
  readonly port: number
  /** For SNI; none is sent where it is empty. */
  readonly hostName: string
  /** PEM of the only root. */
  readonly ca: string
  /** PEM of the client's own chain and key. */
  readonly own?: { readonly cert: string; readonly key: string }
  /** OpenSSL cipher list. */
  readonly ciphers?: string
  /** The highest version that is offered; by default 1.3. */
  readonly maxVersion?: 'TLSv1.2'
  /** Bits of the shortest Diffie-Hellman group that is agreed to; by default 1024. */
  readonly smallestGroup?: number
}

/** What bounds an attempt. */
export interface Bounds {
  readonly signal: AbortSignal
  /** The moment, on the clock of `performance.now()`, at which the whole attempt is over; may be Infinity. */
  readonly end: number
}

/** Octets that may wait unread before the peer is held back. */
const UNREAD = 256 * 1024
/** Milliseconds that a peer has to close its side after ours. */
const LINGER_MS = 1000
const LONGEST_TIMER = 2 ** 31 - 1

export class Connection implements Wire {
  readonly note: (line: string) => void
  readonly #target: Target
  readonly #bounds: Bounds
  readonly #raw: Socket
  #tls: TLSSocket | undefined
  /** Given by the server before anybody wanted to keep them. */
  readonly #sessions: Buffer[] = []
  #keep = (session: Buffer): void => {
    this.#sessions.push(session)
  }
  #beneath: BeneathTls | undefined
  #unread: Buffer[] = []
  #unreadSize = 0
  /** Why nothing more will arrive. */
  #ended: { readonly kind: FailureKind; readonly message: string } | undefined
  #onArrival: () => void = () => {}
  #onEnd: () => void = () => {}
  #deafen: () => void = () => {}

  private constructor(target: Target, bounds: Bounds, note: (line: string) => void) {
    this.note = note
    this.#target = target
    this.#bounds = bounds
    this.#raw = connectTcp({ host: target.address, port: target.port, noDelay: true })
    this.#raw.on('error', () => {})
    this.#listenTo(this.#raw)
  }

  static async open(
    target: Target,
    bounds: Bounds,
    limitMs: number,
    note: (line: string) => void,
  ): Promise<Connection> {
    const connection = new Connection(target, bounds, note)
    try {
      await connection.#within('connect', limitMs, (done) => connection.#raw.once('connect', () => done()))
    } catch (failure) {
      connection.destroy()
      throw failure
    }
    return connection
  }

  get secured(): boolean {
    return this.#tls !== undefined
  }

  now(): number {
    return performance.now()
  }

  remaining(): number {
    return this.#bounds.end - performance.now()
  }

  arrived(): Buffer {
    const octets = Buffer.concat(this.#unread)
    this.#unread = []
    this.#unreadSize = 0
    this.#stream.resume()
    return octets
  }

  async read(stage: Stage, limitMs: number): Promise<Buffer> {
    if (this.#unreadSize === 0) {
      await this.#within(stage, limitMs, (done) => {
        this.#onArrival = done
      })
    }
    return this.arrived()
  }

  send(octets: Buffer, stage: Stage, limitMs: number): Promise<void> {
    return this.#within(stage, limitMs, (done, fail) =>
      this.#stream.write(octets, (error) => (error ? fail('lost', error.message) : done())),
    )
  }

  async secure(early: Buffer, limitMs: number, session: Buffer | undefined): Promise<Secured> {
    const { hostName, smallestGroup = 1024, address } = this.#target
    this.#deafen()
    this.#beneath = new BeneathTls(this.#raw, early)
    const options: ConnectionOptions & Pick<TLSSocketOptions, 'requestOCSP'> = {
      socket: this.#beneath,
      servername: hostName,
      secureContext: contextOf(this.#target),
      ...(session === undefined ? {} : { session }),
      minDHSize: smallestGroup,
      requestOCSP: true,
      // The certificate is judged by the policy: neither Node's refusal nor its reading of names is wanted here.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    }
    const tls = connectTls(options)
    this.#tls = tls
    let staple: Buffer | undefined
    tls.on('OCSPResponse', (response: Buffer | null) => {
      staple = response ?? undefined
    })
    tls.on('session', (given: Buffer) => this.#keep(given))
    await this.#within('handshake', limitMs, (done, fail) => {
      tls.once('secureConnect', () => done())
      tls.on('error', (error) => fail(this.#raw.readableEnded ? 'lost' : 'handshake', error.message))
    })
    const resumed = tls.isSessionReused()
    this.note(`TLS: ${tls.getProtocol()} ${tls.getCipher().name}${resumed ? ', resumed' : ''}`)
    // Up to TLS 1.2 a session may go on more than once, and the server need not give another ticket (RFC 5077 §3.3).
    const same = resumed && tls.getProtocol() !== 'TLSv1.3' ? tls.getSession() : undefined
    if (same !== undefined) this.#keep(same)
    this.#listenTo(tls)
    const presented: Presented = {
      chain: sentChain(tls),
      roots: pemBlocks(this.#target.ca).map((pem) => new X509Certificate(pem)),
      refusal: tls.authorized ? undefined : String(tls.authorizationError),
      address,
      staple,
    }
    return { resumed, presented }
  }

  keepSessions(keep: (session: Buffer) => void): void {
    this.#keep = keep
    for (const session of this.#sessions.splice(0)) keep(session)
  }

  unsecure(): Buffer {
    const rest = this.#beneath?.afterRecords ?? Buffer.alloc(0)
    this.#deafen()
    this.#beneath?.detach()
    this.#tls?.on('error', () => {}).destroy()
    this.#tls = undefined
    this.#beneath = undefined
    this.#ended = this.#raw.readyState === 'open' ? undefined : { kind: 'lost', message: 'the connection is gone' }
    this.#listenTo(this.#raw)
    this.#raw.resume()
    return rest
  }

  /** Ends TLS and TCP in order, and gives the peer a moment to do the same. */
  async close(): Promise<void> {
    this.#ended = undefined
    try {
      if (this.#tls?.writable) await this.#within('quit', LINGER_MS, (done) => this.#tls?.end(() => done()))
      this.#ended = undefined
      if (!this.#raw.destroyed) {
        await this.#within('quit', LINGER_MS, (done) => this.#raw.once('close', () => done()).end())
      }
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure
    } finally {
      this.destroy()
    }
  }

  /** Ends the connection at once. Idempotent. */
  destroy(): void {
    this.#tls?.on('error', () => {}).destroy()
    this.#raw.destroy()
  }

  get #stream(): Socket {
    return this.#tls ?? this.#raw
  }

  /** Makes `stream` the one that is read from, until {@link #deafen}. */
  #listenTo(stream: Socket): void {
    const inTls = stream !== this.#raw
    const over = (message: string) => {
      const kind = inTls && !this.#raw.readableEnded && !this.#raw.destroyed ? 'close-notify' : 'lost'
      this.#ended ??= { kind, message }
      this.#onEnd()
    }
    const onData = (octets: Buffer) => {
      this.#unread.push(octets)
      this.#unreadSize += octets.length
      if (this.#unreadSize > UNREAD) stream.pause()
      this.#onArrival()
    }
    const onEnd = () => over(inTls ? 'the peer ended TLS' : 'the peer closed the connection')
    const onError = (error: Error) => {
      this.#ended ??= { kind: 'lost', message: error.message }
      this.#onEnd()
    }
    const onClose = () => over('the connection is gone')
    stream.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose)
    this.#deafen = () => stream.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose)
  }

  /** Waits for what `begin` starts; fails at the limit, by the signal, and when the connection ends. */
  #within(
    stage: Stage,
    limitMs: number,
    begin: (done: () => void, fail: (kind: FailureKind, message: string) => void) => void,
  ): Promise<void> {
    const { signal } = this.#bounds
    return new Promise((resolve, reject) => {
      let settled = false
      const finish = (failure?: Failure): void => {
        if (settled) return
        settled = true
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        this.#onArrival = () => {}
        this.#onEnd = () => {}
        if (failure === undefined) resolve()
        else reject(failure)
      }
      const fail = (kind: FailureKind, message: string) => finish(new Failure(kind, stage, `${stage}: ${message}`))
      const onAbort = () => fail('aborted', 'ended by the caller')
      const onLimit = () => fail('timeout', `no answer within ${Math.round(limitMs)} ms`)
      const timer =
        limitMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(onLimit, Math.min(limitMs, LONGEST_TIMER))
      signal.addEventListener('abort', onAbort)
      this.#onEnd = () => {
        if (this.#ended !== undefined) fail(this.#ended.kind, this.#ended.message)
      }
      if (signal.aborted) onAbort()
      else if (this.#ended !== undefined) this.#onEnd()
      else begin(() => finish(), fail)
    })
  }
}

/** The chain in the order in which it was sent, leaf first. */
function sentChain(tls: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = []
  for (let next = tls.getPeerX509Certificate(); next !== undefined; next = next.issuerCertificate) chain.push(next)
  return chain
}

function pemBlocks(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
}
