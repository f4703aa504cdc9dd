/**
 * The server's end of a session: the sound server in process, or the connection to somebody else's. Replies come in here
 * and find the commands that they answer.
 *
 * What always holds: replies are matched to commands in the order in which those went out (RFC 2920 §3.2); octets are
 * recorded before anything acts on them; a client that reads slowly slows the server down, and the other way round.
 */
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { type OriginHandlers, type OriginSession, openOrigin, type Remote } from './origin.ts'
import { TlsTap } from './record-pipe.ts'
import type { Ground } from './session-parts.ts'
import { PassedThrough } from './undecrypted.ts'
import { type ParsedReply, ReplyParser } from './wire/framing.ts'
import type { Close, Unit } from './wire/units.ts'

/** What the server's end needs of the client's. */
export interface ClientPort {
  /** What the client's octets go to and come from at this moment. */
  readonly stream: Duplex
  readonly secured: boolean
  /** The client has sent a command, or TLS is up. */
  readonly spoken: boolean
  readonly remote: Remote
  /** The server cannot be reached: tell the client, in its own words. */
  unreachable(): void
  /** The server has gone: what was written goes out, then FIN. */
  finishWriting(): void
  /** The server reset the connection. */
  reset(): void
  close(close: Close): void
  /** The server takes no more for now: read nothing until {@link ClientPort.release}. */
  holdBack(): void
  release(): void
}

export class ServerSide implements OriginHandlers {
  private readonly ground: Ground
  private client!: ClientPort
  private origin: OriginSession | undefined
  private upstream: Socket | TLSSocket | undefined
  /** What that stands on. */
  private raw: Socket | undefined
  private upstreamLayer: 'tcp' | 'tls' = 'tcp'
  private replies = new ReplyParser()
  /** Commands that have gone to the server and want a reply, oldest first; 0 is the banner. */
  private readonly asked: { readonly id: number; readonly verb: string }[] = [{ id: 0, verb: '' }]
  /** The client's end has reached the origin. */
  private leaving = false
  /** The server has said 354 or 334, and what it asked for has not all been sent. */
  private wantsBody = false
  private upgrading = false
  /** The server takes no more for now. */
  private full = false
  private passedIn: PassedThrough | undefined
  private passedOut: PassedThrough | undefined
  /** TLS is passed through: the server no longer speaks in replies. */
  opaque = false

  constructor(ground: Ground) {
    this.ground = ground
  }

  /** Before anything else: the other end. */
  join(client: ClientPort): void {
    this.client = client
  }

  open(): void {
    const { server } = this.ground.options
    if ('origin' in server) {
      this.origin = openOrigin(server.origin, this)
      if (this.client.secured) this.origin.secured()
      return
    }
    const upstream = connect({ host: server.upstream.address, port: server.upstream.port, allowHalfOpen: true })
    upstream.setNoDelay(true)
    upstream.once('connect', () => this.connected(upstream))
    upstream.on('error', (error) => this.failed(error))
    this.raw = upstream
    this.attach(upstream, 'tcp')
  }

  // What the sound server in process asks and says

  get remote(): Remote {
    return this.client.remote
  }

  data(octets: Buffer): void {
    if (!this.ground.closed) this.read(octets)
  }

  end(): void {
    this.ground.stack.fromServer({ type: 'eof', from: 'server' })
  }

  private connected({ localAddress, localPort, remoteAddress, remotePort }: Socket): void {
    this.ground.recorder.event({
      type: 'upstream',
      local: { address: localAddress ?? '', port: localPort ?? 0 },
      remote: { address: remoteAddress ?? '', port: remotePort ?? 0 },
    })
  }

  /** TLS is up at the client's end; a server that was not needed before is opened. */
  clientIsUp(): void {
    if (this.origin !== undefined || this.upstream !== undefined) return
    this.asked.length = 0
    this.asked.push({ id: 0, verb: '' })
    this.open()
  }

  /** The sound server's session starts afresh inside TLS (RFC 3207 §4.2). */
  secure(): void {
    this.origin?.secured()
  }

  /** A command or content, or bytes or eof from the client. */
  take(unit: Unit): void {
    if (unit.type === 'reply') return
    if (unit.type === 'eof') {
      if (this.origin === undefined) this.upstream?.end()
      else {
        this.leaving = true
        this.leave()
      }
      return
    }
    if (unit.type === 'command') this.asked.push({ id: unit.id, verb: unit.verb })
    if (unit.type === 'content' && unit.last) this.wantsBody = false
    if (this.origin === undefined) this.send(unit.bytes)
    // An origin has no TLS of its own: octets after a STARTTLS that nobody terminated lead nowhere. Nor has it BDAT: the
    // chunk of a refused one is discarded (RFC 3030 §2).
    else if (unit.type !== 'bytes' && !(unit.type === 'content' && unit.of === 'BDAT')) this.origin.write(unit.bytes)
  }

  /** smtp-server does not know half-closed connections: a client that has gone is left when all that it asked is answered. */
  private leave(): void {
    if (this.leaving && (this.asked.length === 0 || this.wantsBody))
      this.client.close({ type: 'close', end: 'client', how: 'fin' })
  }

  close(how: 'fin' | 'rst'): void {
    if (this.origin !== undefined) this.origin.end()
    else if (how === 'rst') (this.upstream as Socket | undefined)?.resetAndDestroy()
    else this.upstream?.end()
  }

  destroy(): void {
    this.origin?.destroy()
    this.upstream?.destroy()
    this.raw?.destroy()
  }

  /** The client's end is full: read nothing until `drain`. */
  pauseFor(stream: Duplex): void {
    const { upstream } = this
    if (upstream === undefined || upstream.isPaused()) return
    upstream.pause()
    stream.once('drain', () => upstream.resume())
  }

  private send(octets: Buffer): void {
    const { upstream, client } = this
    if (upstream === undefined || !upstream.writable) return
    if (this.opaque) {
      this.passedOut ??= new PassedThrough(this.ground.recorder, 'upstream', 'out')
      this.passedOut.record(octets)
    } else this.ground.recorder.bytes('upstream', 'out', this.upstreamLayer, octets)
    if (upstream.write(octets) || this.full) return
    this.full = true
    client.holdBack()
    upstream.once('drain', () => this.drained())
  }

  private drained(): void {
    this.full = false
    this.client.release()
  }

  private attach(upstream: Socket | TLSSocket, layer: 'tcp' | 'tls'): void {
    const { ground } = this
    this.upstream = upstream
    upstream.on('data', (octets: Buffer) => {
      if (this.opaque) {
        this.passedIn ??= new PassedThrough(ground.recorder, 'upstream', 'in')
        this.passedIn.record(octets)
      } else ground.recorder.bytes('upstream', 'in', layer, octets)
      this.read(octets)
    })
    upstream.on('end', () => {
      ground.noteEnd({ by: 'server', how: 'fin' })
      const rest = this.replies.drain()
      if (rest.length > 0) ground.stack.fromServer({ type: 'bytes', from: 'server', bytes: rest })
      ground.stack.fromServer({ type: 'eof', from: 'server' })
    })
    // Nothing can come or go any more, whether or not an end or an error said so.
    upstream.on('close', () => {
      ground.noteEnd({ by: 'server', how: 'fin' })
      this.client.finishWriting()
    })
  }

  private failed(error: NodeJS.ErrnoException): void {
    const { ground, client } = this
    if (ground.closed) return
    if (error.code === 'ECONNRESET') {
      ground.noteEnd({ by: 'server', how: 'rst' })
      client.reset()
      return
    }
    ground.noteEnd({ by: 'server', how: 'error', detail: error.message })
    if (!client.spoken) client.unreachable()
    client.finishWriting()
  }

  private read(octets: Buffer): void {
    const { stack } = this.ground
    if (this.opaque) {
      stack.fromServer({ type: 'bytes', from: 'server', bytes: octets })
      return
    }
    const parsed = this.replies.push(octets)
    const corked = this.client.stream
    corked.cork()
    for (let at = 0; at < parsed.length; at++) {
      this.replied(parsed[at] as ParsedReply)
      if (!this.opaque) continue
      const rest = Buffer.concat([...parsed.slice(at + 1).map((reply) => reply.bytes), this.replies.drain()])
      if (rest.length > 0) stack.fromServer({ type: 'bytes', from: 'server', bytes: rest })
      break
    }
    corked.uncork()
  }

  private replied({ code, bytes, complete }: ParsedReply): void {
    const head = this.asked[0]
    const interim =
      !complete || code === 0 || (code === 354 && head?.verb === 'DATA') || (code === 334 && head?.verb === 'AUTH')
    if (!interim) this.asked.shift()
    if (interim && (code === 354 || code === 334)) this.wantsBody = true
    this.upgrading = false
    this.ground.stack.fromServer({
      type: 'reply',
      id: head?.id ?? null,
      code,
      bytes,
      last: !interim,
      secured: this.client.secured,
    })
    // Without an interception above, a server that said 220 to STARTTLS now speaks TLS.
    if (head?.verb === 'STARTTLS' && code === 220 && !this.upgrading) this.opaque = true
    this.leave()
  }

  /** TLS as client, for an interception. */
  beginTls(serverName: string | undefined): void {
    const { ground, raw } = this
    if (raw === undefined) return
    this.upgrading = true
    for (const event of ['data', 'end', 'close']) raw.removeAllListeners(event)
    this.replies = new ReplyParser()
    const { recorder } = ground
    const base = ground.options.capture
      ? new TlsTap(raw, (direction, octets) => recorder.records('upstream', direction, octets))
      : raw
    const stream = connectTls({
      socket: base as Socket,
      rejectUnauthorized: false,
      ...(serverName === undefined ? {} : { servername: serverName }),
    })
    stream.on('keylog', (line: Buffer) =>
      ground.recorder.event({ type: 'tls', state: 'secret', side: 'upstream', line: line.toString('latin1').trim() }),
    )
    let settled = false
    stream.on('secureConnect', () => {
      settled = true
      this.upstreamLayer = 'tls'
      ground.recorder.event({
        type: 'tls',
        state: 'up',
        side: 'upstream',
        version: stream.getProtocol() ?? 'unknown',
        cipher: stream.getCipher().standardName,
        resumed: false,
        clientChain: [],
      })
      this.attach(stream, 'tls')
      this.asked.length = 0
      if (this.full) this.drained()
      ground.stack.all({ type: 'tls', end: 'server', state: 'up' })
    })
    const failed = (reason: string): void => {
      if (settled || ground.closed) return
      settled = true
      ground.recorder.event({ type: 'tls', state: 'failed', side: 'upstream', reason })
      ground.stack.all({ type: 'tls', end: 'server', state: 'failed', reason })
      ground.noteEnd({ by: 'server', how: 'error', detail: `TLS: ${reason}` })
      this.client.finishWriting()
    }
    stream.on('error', (error) => (settled ? this.failed(error) : failed(error.message)))
    stream.on('close', () => failed('the server closed the connection in the handshake'))
  }
}
