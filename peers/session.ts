/**
 * One connection of a client: the driver of its layers. Only here (and in the ends it uses) are sockets, TLS and time.
 *
 * What always holds: every octet on either side is recorded before anything acts on it; what a layer sends leaves in the
 * order in which the sequencer lets it; a session ends exactly once, with all its sockets and timers.
 */
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { ConnClosed, SocketAddress } from './events.ts'
import { type OriginOptions, type OriginSession, openOrigin } from './origin.ts'
import type { Recorder } from './recorder.ts'
import { RecordPipe, TlsFloor } from './record-pipe.ts'
import { readClientHello } from './tls/client-hello.ts'
import { RecordSplitter, recordAfterLine } from './tls/records.ts'
import { alertOf, startServerTls, type TlsIdentity } from './tls/server-end.ts'
import { CommandFramer, type FramedUnit, ReplyParser } from './wire/framing.ts'
import { Sequencer } from './wire/sequencer.ts'
import { Stack } from './wire/stack.ts'
import { type Close, type Layer, type Reply, replyText, type Unit, type Upgrade, type WireOutput } from './wire/units.ts'

/** A layer and the behaviour that it belongs to; no behaviour for the layers of a sound server. */
export interface NamedLayer {
  readonly layer: Layer
  readonly behaviour?: string
}

export interface SessionOptions {
  /** The host id in its world. */
  readonly host: string
  /** Layers above TLS, the one nearest to the client first; the termination is the last. */
  readonly layers: readonly NamedLayer[]
  /** Layers under TLS. */
  readonly recordLayers: readonly NamedLayer[]
  /** Go through the record plane even without layers there: a layer acts on the TCP connection under TLS. */
  readonly underTls: boolean
  /** By the names that upgrades use. */
  readonly identities: Readonly<Record<string, TlsIdentity>>
  /** TLS starts with the connection, with this upgrade. */
  readonly onConnect?: Upgrade
  readonly server: { readonly origin: OriginOptions } | { readonly upstream: SocketAddress }
  /** Alarms on the scaled clock are divided by it. At least 1. */
  readonly timeScale: number
  /** Milliseconds of silence after which the session is ended. */
  readonly idleMs: number
}

/** What the client's waiting octets depend on: the reply to a DATA, AUTH or STARTTLS command. */
interface Watch {
  readonly verb: string
  readonly parser: ReplyParser
  seen: boolean
}

/** Milliseconds (scaled) that a session may outlive the FIN of its client. */
const GONE_MS = 60_000

/** Octets that a paused framer may hold before the client is told to wait. */
const HOLD_LIMIT = 1024 * 1024

export class Session {
  private readonly socket: Socket
  private readonly options: SessionOptions
  private readonly recorder: Recorder
  private readonly ended: () => void

  private readonly stack: Stack
  private readonly pipe: RecordPipe | undefined
  /** What TLS, or in clear the session, reads and writes: the socket, or the record plane in front of it. */
  private readonly base: Duplex
  /** What the session reads and writes: the base, or TLS on it. */
  private stream: Duplex
  private secured = false
  private floor: TlsFloor | undefined
  /** TLS was ended on a TCP connection that goes on. */
  private leftTls = false
  private recordsIn: RecordSplitter | undefined
  private readonly splitters = new Map<string, RecordSplitter>()
  private helloSeen = false
  private helloOctets: Buffer = Buffer.alloc(0)
  private upgrading = false
  private closed = false
  private firstEnd: Pick<ConnClosed, 'by' | 'how' | 'detail'> | undefined

  private readonly framer = new CommandFramer()
  private readonly sequencer = new Sequencer()
  private readonly watches = new Map<number, Watch>()
  private lastId = 0
  private bodyId = 0
  private pumping = false

  private origin: OriginSession | undefined
  private upstream: Socket | TLSSocket | undefined
  private replies = new ReplyParser()
  /** Commands that have gone to the server and want a reply, oldest first; 0 is the banner. */
  private readonly asked: { id: number; verb: string }[] = [{ id: 0, verb: '' }]
  private serverOpaque = false
  private serverUpgrading = false
  private readonly timers = new Set<NodeJS.Timeout>()

  constructor(socket: Socket, options: SessionOptions, recorder: Recorder, ended: () => void) {
    this.socket = socket
    this.options = options
    this.recorder = recorder
    this.ended = ended
    this.stack = new Stack(
      options.layers.map(({ layer }) => layer),
      {
        toClient: (unit) => this.toClient(unit),
        toServer: (unit) => this.toServer(unit),
        effect: (output, layer) => this.effect(output, options.layers[layer]?.behaviour ?? '', (alarm) => this.stack.one({ type: 'wake', alarm }, layer)),
      },
    )
    if (options.recordLayers.length > 0 || options.underTls) {
      const pipe = new RecordPipe(socket, options.recordLayers.map(({ layer }) => layer), {
        effect: (output, layer) => this.effect(output, options.recordLayers[layer]?.behaviour ?? '', (alarm) => pipe.wake(alarm, layer)),
        made: (octets) => this.recorder.bytes('client', 'out', 'tcp', octets),
      })
      this.pipe = pipe
    }
    this.base = this.pipe ?? socket
    this.stream = this.base
  }

  /** Begins: the layers are told, and TLS or the server's banner comes. */
  start(): void {
    const { socket, options } = this
    socket.setNoDelay(true)
    socket.setTimeout(options.idleMs, () => this.end({ by: 'harness', how: 'deadline', detail: `silent for ${options.idleMs} ms` }))
    socket.on('error', (error: NodeJS.ErrnoException) => this.noteEnd(error.code === 'ECONNRESET' ? { by: 'client', how: 'rst' } : { by: 'client', how: 'error', detail: error.message }))
    socket.on('close', () => this.finish())
    for (const { behaviour } of [...options.layers, ...options.recordLayers]) {
      if (behaviour !== undefined) this.recorder.event({ type: 'armed', behaviour, host: options.host, detail: 'in place' })
    }
    this.pipe?.tell({ type: 'open' })
    this.stack.all({ type: 'open' })
    if (this.closed) return
    if (options.onConnect !== undefined) this.beginTls(options.onConnect)
    else {
      this.listen(this.base)
      this.openServer()
    }
  }

  /** Ends the session now, whatever its state; idempotent. */
  end(reason: Pick<ConnClosed, 'by' | 'how' | 'detail'>): void {
    this.noteEnd(reason)
    this.socket.destroy()
    // A destroyed socket closes on the next turn of the loop, but not one whose handle TLS has taken over.
    this.finish()
  }

  // The client's end

  private listen(stream: Duplex): void {
    stream.on('data', this.onData)
    stream.on('end', this.onEnd)
    if (stream !== this.socket) stream.on('close', this.onStreamClose)
  }

  private unlisten(stream: Duplex): void {
    stream.off('data', this.onData)
    stream.off('end', this.onEnd)
    stream.off('close', this.onStreamClose)
  }

  private readonly onData = (chunk: Buffer): void => {
    if (this.secured) {
      this.recorder.bytes('client', 'in', 'tls', chunk)
      this.framer.push(chunk)
    } else this.onClearData(chunk)
    this.pump()
    if (this.framer.held > HOLD_LIMIT && !this.upgrading) this.stream.pause()
  }

  /** Octets outside TLS of ours: text, or records of a TLS that is passed through or that nobody asked for. */
  private onClearData(chunk: Buffer): void {
    if (this.recordsIn === undefined && this.framer.betweenLines) {
      const at = recordAfterLine(chunk)
      if (at > 0) {
        this.onClearData(chunk.subarray(0, at))
        this.onClearData(chunk.subarray(at))
        return
      }
      if (at === 0) this.recordsIn = new RecordSplitter()
    }
    for (const { layer, bytes } of this.recordsIn?.split(chunk) ?? [{ layer: 'tcp' as const, bytes: chunk }]) {
      this.recorder.bytes('client', 'in', layer, bytes)
      if (layer === 'cipher') this.lookForHello(bytes)
      // After TLS was left, the client's own close_notify is not for the session.
      if (layer === 'tcp' || !this.leftTls) this.framer.push(bytes)
    }
  }

  /** A ClientHello that badmx does not answer itself is recorded all the same. */
  private lookForHello(bytes: Buffer): void {
    if (this.helloSeen || this.leftTls) return
    this.helloOctets = Buffer.concat([this.helloOctets, bytes])
    const reading = readClientHello(this.helloOctets)
    if (reading.state === 'more') return
    this.helloSeen = true
    if (reading.state === 'hello') this.recorder.event({ type: 'tls', state: 'hello', side: 'client', hello: reading.hello, data: this.helloOctets })
    this.helloOctets = Buffer.alloc(0)
  }

  private readonly onEnd = (): void => {
    this.noteEnd({ by: 'client', how: 'fin' })
    this.stack.fromClient({ type: 'eof', from: 'client' })
    // A layer may keep the connection; a client that has gone for good is not waited for without end.
    this.alarm(GONE_MS / this.options.timeScale, () => this.end({ by: 'client', how: 'fin' }))
  }

  private readonly onStreamClose = (): void => {
    if (!this.upgrading && !this.socket.destroyed) this.end({ by: 'client', how: 'fin' })
  }

  /** Takes units from the framer as long as it gives some. */
  private pump(): void {
    if (this.pumping) return
    this.pumping = true
    this.stream.cork()
    const corked = this.stream
    while (!this.closed && !this.upgrading) {
      if (this.framer.opaque) {
        const bytes = this.framer.drain()
        if (bytes.length > 0) this.stack.fromClient({ type: 'bytes', from: 'client', bytes })
        break
      }
      const unit = this.framer.next()
      if (unit === undefined) break
      this.framed(unit)
    }
    corked.uncork()
    this.pumping = false
    if (this.stream.isPaused() && this.framer.held <= HOLD_LIMIT && !this.upgrading) this.stream.resume()
  }

  private framed(unit: FramedUnit): void {
    if (unit.type === 'overlong') {
      this.write(Buffer.from(replyText(500, ['5.5.2 Line too long'])))
      this.closeClient({ type: 'close', end: 'client', how: 'fin' })
      return
    }
    if (unit.type === 'content') {
      this.stack.fromClient({ ...unit, id: this.bodyId, secured: this.secured })
      return
    }
    this.lastId += 1
    const id = this.lastId
    this.sequencer.expect(id)
    if (unit.verb === 'DATA' || unit.verb === 'AUTH' || unit.verb === 'BDAT') this.bodyId = id
    if (unit.verb === 'DATA' || unit.verb === 'AUTH' || (unit.verb === 'STARTTLS' && !this.secured)) {
      this.watches.set(id, { verb: unit.verb, parser: new ReplyParser(), seen: false })
    }
    this.stack.fromClient({ ...unit, id, secured: this.secured })
  }

  private toClient(unit: Unit): void {
    if (unit.type === 'reply') for (const reply of this.sequencer.offer(unit)) this.emit(reply)
    else if (unit.type === 'bytes') this.write(unit.bytes)
    else if (unit.type === 'eof') this.closeClient({ type: 'close', end: 'client', how: 'fin' })
  }

  private emit(reply: Reply): void {
    this.write(reply.bytes)
    const watch = reply.id === null ? undefined : this.watches.get(reply.id)
    if (watch !== undefined && reply.id !== null) {
      for (const { code } of watch.parser.push(reply.bytes)) this.watched(watch, code, reply.upgrade)
      if (reply.last) {
        this.watches.delete(reply.id)
        this.framer.settle(0)
      }
    }
    if (reply.upgrade !== undefined && !this.closed) this.beginTls(reply.upgrade)
    else if (!this.pumping) this.pump()
  }

  /** What reached the client decides what its next octets are. */
  private watched(watch: Watch, code: number, upgrade: Upgrade | undefined): void {
    if (watch.verb === 'STARTTLS') {
      if (!watch.seen && code === 220 && upgrade === undefined) this.framer.goOpaque()
      watch.seen = true
    } else this.framer.settle(code)
  }

  private write(bytes: Buffer): void {
    if (bytes.length === 0 || this.closed || !this.stream.writable) return
    if (this.serverOpaque) this.recordOpaque('client', 'out', bytes)
    else this.recorder.bytes('client', 'out', this.secured ? 'tls' : 'tcp', bytes)
    if (!this.stream.write(bytes)) this.pauseServer()
  }

  private recordOpaque(side: 'client' | 'upstream', direction: 'in' | 'out', octets: Buffer): void {
    const key = `${side} ${direction}`
    let splitter = this.splitters.get(key)
    if (splitter === undefined) {
      splitter = new RecordSplitter()
      this.splitters.set(key, splitter)
    }
    for (const { layer, bytes } of splitter.split(octets)) this.recorder.bytes(side, direction, layer, bytes)
  }

  private pauseServer(): void {
    const { upstream, stream } = this
    if (upstream === undefined || upstream.isPaused()) return
    upstream.pause()
    stream.once('drain', () => upstream.resume())
  }

  private closeClient(close: Close): void {
    if (close.how === 'rst') {
      this.noteEnd({ by: 'peer', how: 'rst' })
      this.flushThenReset()
      return
    }
    if (close.keepTcp === true && this.secured) {
      this.leaveTls()
      return
    }
    this.noteEnd({ by: 'peer', how: 'fin' })
    if (close.withoutNotify === true && this.secured) this.base.end()
    else this.stream.end()
  }

  /** What was written before goes out first; Linux sends it before the RST. */
  private flushThenReset(): void {
    while (this.stream.writableCorked > 0) this.stream.uncork()
    if (this.socket.destroyed) return
    this.socket.resetAndDestroy()
    this.finish()
  }

  // TLS at the client's end

  private beginTls(upgrade: Upgrade): void {
    const identity = this.options.identities[upgrade.context]
    if (identity === undefined) throw new Error(`no TLS identity "${upgrade.context}" at host ${this.options.host}`)
    this.upgrading = true
    this.unlisten(this.stream)
    while (this.base.writableCorked > 0) this.base.uncork()
    const residue = this.framer.drain()
    const first = upgrade.residue === 'handshake' ? residue : Buffer.alloc(0)
    if (this.options.underTls) this.floor = new TlsFloor(this.base)
    startServerTls(this.floor ?? this.base, identity, first, this.recorder, this.options.host, {
      hello: () => {
        this.pipe?.tell({ type: 'tls', end: 'client', state: 'hello' })
        this.stack.all({ type: 'tls', end: 'client', state: 'hello' })
      },
      up: (stream) => this.tlsUp(stream, upgrade.residue === 'commands' ? residue : Buffer.alloc(0)),
      failed: (reason) => this.tlsFailed(reason),
    })
  }

  private tlsUp(stream: TLSSocket, residue: Buffer): void {
    if (this.closed) return
    this.upgrading = false
    this.secured = true
    this.stream = stream
    this.framer.reset()
    this.framer.push(residue)
    this.sequencer.reset()
    this.watches.clear()
    this.pipe?.tell({ type: 'tls', end: 'client', state: 'up' })
    this.stack.all({ type: 'tls', end: 'client', state: 'up' })
    this.listen(stream)
    stream.on('error', (error: NodeJS.ErrnoException) => this.tlsBroken(error))
    if (this.origin === undefined && this.upstream === undefined) {
      this.asked.length = 0
      this.asked.push({ id: 0, verb: '' })
      this.openServer()
    }
    this.pump()
  }

  private tlsFailed(reason: string): void {
    this.pipe?.tell({ type: 'tls', end: 'client', state: 'failed', reason })
    this.stack.all({ type: 'tls', end: 'client', state: 'failed', reason })
    this.noteEnd({ by: 'client', how: 'error', detail: `TLS: ${reason}` })
    if (!this.closed && !this.socket.destroyed) this.socket.end()
    if (!this.closed) this.finish()
  }

  /** TLS broke after the handshake: an alert of the client, or records that are none. */
  private tlsBroken(error: NodeJS.ErrnoException): void {
    const alert = alertOf(error)
    this.recorder.event({ type: 'tls', state: 'failed', side: 'client', reason: error.message, ...(alert === undefined ? {} : { alert }) })
    this.end({ by: 'client', how: 'error', detail: `TLS: ${error.message}` })
  }

  /** close_notify, and then the same TCP connection in clear (RFC 8446 §6.1). */
  private leaveTls(): void {
    const tls = this.stream
    if (this.floor === undefined) throw new Error('a layer that ends TLS and keeps TCP must declare underTls')
    this.unlisten(tls)
    this.floor.leave()
    tls.end()
    this.recorder.event({ type: 'tls', state: 'closed', side: 'client', by: 'peer' })
    this.secured = false
    this.leftTls = true
    this.pipe?.clearAgain()
    this.recordsIn = new RecordSplitter()
    this.stream = this.base
    this.framer.reset()
    this.listen(this.base)
    this.base.resume()
  }

  // The server's end

  private openServer(): void {
    const { server } = this.options
    if ('origin' in server) {
      this.origin = openOrigin(server.origin, this.addresses(), {
        data: (octets) => this.fromOrigin(octets),
        end: () => this.stack.fromServer({ type: 'eof', from: 'server' }),
        drain: () => {},
      })
      if (this.secured) this.origin.secured()
      return
    }
    const upstream = connect({ host: server.upstream.address, port: server.upstream.port, allowHalfOpen: true })
    upstream.setNoDelay(true)
    upstream.on('error', (error) => this.upstreamFailed(error))
    this.attachUpstream(upstream, 'tcp')
  }

  private addresses(): { localAddress: string; localPort: number; remoteAddress: string; remotePort: number } {
    const { localAddress, localPort, remoteAddress, remotePort } = this.socket
    return { localAddress: localAddress ?? '', localPort: localPort ?? 0, remoteAddress: remoteAddress ?? '', remotePort: remotePort ?? 0 }
  }

  private fromOrigin(octets: Buffer): void {
    if (this.closed) return
    this.fromServer(octets)
  }

  private attachUpstream(upstream: Socket | TLSSocket, layer: 'tcp' | 'tls'): void {
    this.upstream = upstream
    upstream.on('data', (octets: Buffer) => {
      if (this.serverOpaque) this.recordOpaque('upstream', 'in', octets)
      else this.recorder.bytes('upstream', 'in', layer, octets)
      this.fromServer(octets)
    })
    upstream.on('end', () => {
      this.noteEnd({ by: 'server', how: 'fin' })
      const rest = this.replies.drain()
      if (rest.length > 0) this.stack.fromServer({ type: 'bytes', from: 'server', bytes: rest })
      this.stack.fromServer({ type: 'eof', from: 'server' })
    })
    // Nothing can come or go any more, whether or not an end or an error said so.
    upstream.on('close', () => {
      this.noteEnd({ by: 'server', how: 'fin' })
      this.stream.end()
    })
  }

  private upstreamFailed(error: NodeJS.ErrnoException): void {
    if (this.closed) return
    if (error.code === 'ECONNRESET') {
      this.noteEnd({ by: 'server', how: 'rst' })
      this.flushThenReset()
      return
    }
    this.noteEnd({ by: 'server', how: 'error', detail: error.message })
    if (this.lastId === 0 && !this.secured) this.write(Buffer.from(replyText(421, ['4.4.1 The server behind this proxy cannot be reached'])))
    this.stream.end()
  }

  private fromServer(octets: Buffer): void {
    if (this.serverOpaque) {
      this.stack.fromServer({ type: 'bytes', from: 'server', bytes: octets })
      return
    }
    const parsed = this.replies.push(octets)
    const corked = this.stream
    corked.cork()
    for (const [at, { code, bytes, complete }] of parsed.entries()) {
      this.serverReplied(code, bytes, complete)
      if (!this.serverOpaque) continue
      const rest = Buffer.concat([...parsed.slice(at + 1).map((reply) => reply.bytes), this.replies.drain()])
      if (rest.length > 0) this.stack.fromServer({ type: 'bytes', from: 'server', bytes: rest })
      break
    }
    corked.uncork()
  }

  private serverReplied(code: number, bytes: Buffer, complete: boolean): void {
    const head = this.asked[0]
    const interim = !complete || code === 0 || (code === 354 && head?.verb === 'DATA') || (code === 334 && head?.verb === 'AUTH')
    if (!interim) this.asked.shift()
    this.serverUpgrading = false
    this.stack.fromServer({ type: 'reply', id: head?.id ?? null, code, bytes, last: !interim, secured: this.secured })
    // Without an interception above, a server that said 220 to STARTTLS now speaks TLS.
    if (head?.verb === 'STARTTLS' && code === 220 && !this.serverUpgrading) this.serverOpaque = true
  }

  private toServer(unit: Unit): void {
    if (unit.type === 'eof') {
      // smtp-server does not know half-closed connections: the client that has gone is answered by going.
      if (this.origin !== undefined) this.closeClient({ type: 'close', end: 'client', how: 'fin' })
      else this.upstream?.end()
      return
    }
    if (unit.type === 'reply') return
    if (unit.type === 'command') this.asked.push({ id: unit.id, verb: unit.verb })
    if (this.origin !== undefined) {
      // An origin has no TLS of its own: octets after a STARTTLS that nobody terminated lead nowhere.
      if (unit.type !== 'bytes') this.origin.write(unit.bytes)
      return
    }
    const { upstream, stream } = this
    if (upstream === undefined || !upstream.writable) return
    if (this.serverOpaque) this.recordOpaque('upstream', 'out', unit.bytes)
    else this.recorder.bytes('upstream', 'out', this.upstreamLayer, unit.bytes)
    if (!upstream.write(unit.bytes) && !stream.isPaused()) {
      stream.pause()
      upstream.once('drain', () => stream.resume())
    }
  }

  private upstreamLayer: 'tcp' | 'tls' = 'tcp'

  private beginUpstreamTls(serverName: string | undefined): void {
    const raw = this.upstream
    if (raw === undefined) return
    this.serverUpgrading = true
    for (const event of ['data', 'end', 'close']) raw.removeAllListeners(event)
    this.replies = new ReplyParser()
    const stream = connectTls({ socket: raw as Socket, rejectUnauthorized: false, ...(serverName === undefined ? {} : { servername: serverName }) })
    stream.on('keylog', (line: Buffer) => this.recorder.event({ type: 'tls', state: 'secret', side: 'upstream', line: line.toString('latin1').trim() }))
    let up = false
    stream.on('secureConnect', () => {
      up = true
      this.upstreamLayer = 'tls'
      this.recorder.event({ type: 'tls', state: 'up', side: 'upstream', version: stream.getProtocol() ?? 'unknown', cipher: stream.getCipher().standardName, resumed: false, clientChain: [] })
      this.attachUpstream(stream, 'tls')
      this.asked.length = 0
      this.stack.all({ type: 'tls', end: 'server', state: 'up' })
    })
    const failed = (reason: string): void => {
      if (up || this.closed) return
      up = true
      this.recorder.event({ type: 'tls', state: 'failed', side: 'upstream', reason })
      this.stack.all({ type: 'tls', end: 'server', state: 'failed', reason })
      this.noteEnd({ by: 'server', how: 'error', detail: `TLS: ${reason}` })
      this.stream.end()
    }
    stream.on('error', (error) => (up ? this.upstreamFailed(error) : failed(error.message)))
    stream.on('close', () => failed('the server closed the connection in the handshake'))
  }

  // Both ends

  private effect(output: Exclude<WireOutput, Unit>, behaviour: string, wake: (alarm: string) => void): void {
    switch (output.type) {
      case 'hold':
        this.framer.hold()
        break
      case 'opaque':
        this.framer.goOpaque()
        break
      case 'secure':
        this.origin?.secured()
        break
      case 'start-tls':
        this.beginUpstreamTls(output.serverName)
        break
      case 'close':
        if (output.end === 'client') this.closeClient(output)
        else this.closeServer(output.how)
        break
      case 'wake-me':
        this.alarm(output.clock === 'scaled' ? output.afterMs / this.options.timeScale : output.afterMs, () => wake(output.alarm))
        break
      default:
        this.recorder.event({
          type: output.type,
          behaviour,
          host: this.options.host,
          detail: output.detail,
          offset: this.recorder.offset,
          ...(output.type === 'fired' && output.original !== undefined ? { data: output.original } : {}),
        })
    }
  }

  private closeServer(how: 'fin' | 'rst'): void {
    if (this.origin !== undefined) this.origin.end()
    else if (how === 'rst') (this.upstream as Socket | undefined)?.resetAndDestroy()
    else this.upstream?.end()
  }

  private alarm(afterMs: number, ring: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer)
      if (!this.closed) ring()
    }, afterMs)
    this.timers.add(timer)
  }

  private noteEnd(reason: Pick<ConnClosed, 'by' | 'how' | 'detail'>): void {
    this.firstEnd ??= reason
  }

  private finish(): void {
    if (this.closed) return
    this.closed = true
    for (const timer of this.timers) clearTimeout(timer)
    this.timers.clear()
    this.origin?.destroy()
    this.upstream?.destroy()
    if (this.stream !== this.base) this.stream.destroy()
    this.floor?.destroy()
    this.base.destroy()
    this.socket.destroy()
    this.recorder.flush()
    this.recorder.event({ type: 'conn', state: 'closed', ...(this.firstEnd ?? { by: 'client', how: 'fin' }) })
    this.ended()
  }
}
