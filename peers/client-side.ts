/**
 * The client's end of a session: its octets into commands and content, the replies out in their order, STARTTLS as
 * server.
 *
 * What always holds: octets are recorded before anything acts on them; no reply overtakes an earlier one (RFC 2920 §3.2);
 * what has reached the client decides how its next octets are read (RFC 5321 §4.5.2, RFC 4954 §4, RFC 3207 §4).
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Remote } from './origin.ts'
import { type RecordPipe, TlsFloor, TlsTap } from './record-pipe.ts'
import type { Ground } from './session-parts.ts'
import { alertOf, startServerTls } from './tls/server-end.ts'
import { ClearInput, PassedThrough } from './undecrypted.ts'
import { CommandFramer, type FramedUnit } from './wire/framing.ts'
import { ReplyWatch } from './wire/reply-watch.ts'
import { Sequencer } from './wire/sequencer.ts'
import {
  type Close,
  type Reply,
  replyText,
  type TlsSession,
  type TlsState,
  type Unit,
  type Upgrade,
} from './wire/units.ts'

/** What the client's end needs of the server's. */
export interface ServerPort {
  /** TLS is passed through. */
  readonly opaque: boolean
  /** Read nothing from the server until `stream` has drained. */
  pauseFor(stream: Duplex): void
  /** TLS is up at the client's end. */
  clientIsUp(): void
}

/** Milliseconds (scaled) that a session may outlive the FIN of its client. */
const GONE_MS = 60_000

/**
 * Milliseconds (scaled) that a session may go without reading: thrice the longest limit of RFC 5321 §4.5.3.2. An MTA on
 * a busy machine is given some seconds more than its scaled limit, and has to come to an end by itself before this.
 */
const DEAF_MS = 1_800_000
/** Milliseconds on top, not scaled: a client whose limits cannot be scaled is ended by its user, and not by its peer. */
const DEAF_SLACK_MS = 20_000

/** Octets that a paused framer may hold before the client is told to wait. */
const HOLD_LIMIT = 1024 * 1024

const NONE: Buffer = Buffer.alloc(0)

export class ClientSide {
  /** What the session reads and writes: the base, or TLS on it. */
  stream: Duplex
  secured = false
  private readonly ground: Ground
  private readonly server: ServerPort
  private readonly socket: Socket
  private readonly pipe: RecordPipe | undefined
  /** What TLS, or in clear the session, reads and writes: the socket, or the record plane in front of it. */
  private readonly base: Duplex
  private floor: TlsFloor | undefined
  private upgrading = false
  private helloSeen = false
  /** A layer answers the ClientHello. */
  private answered = false
  /** FIN was sent under TLS: nothing leaves any more. */
  private cutOff = false

  private readonly clear: ClearInput
  private passedOut: PassedThrough | undefined
  private readonly framer = new CommandFramer()
  private readonly sequencer = new Sequencer()
  private readonly watch = new ReplyWatch(this.framer)
  private lastId = 0
  private bodyId = 0
  private pumping = false
  /** Writes to the stream that have not been handed on yet, and what waits for them. */
  private unsent = 0
  private whenSent: (() => void) | undefined
  /** The client will send no more; `told` when the layers know. */
  private ending: 'open' | 'seen' | 'told' = 'open'
  /** The server takes no more for now. */
  private heldBack = false
  /** A layer wants nothing more of the client. */
  private deaf = false

  constructor(ground: Ground, server: ServerPort, socket: Socket, pipe: RecordPipe | undefined) {
    this.ground = ground
    this.server = server
    this.socket = socket
    this.pipe = pipe
    this.base = pipe ?? socket
    this.stream = this.base
    this.clear = new ClearInput(ground.recorder)
  }

  /** The addresses of the connection. */
  get remote(): Remote {
    const { localAddress, localPort, remoteAddress, remotePort } = this.socket
    return {
      localAddress: localAddress ?? '',
      localPort: localPort ?? 0,
      remoteAddress: remoteAddress ?? '',
      remotePort: remotePort ?? 0,
    }
  }

  /** The client has sent a command, or TLS is up. */
  get spoken(): boolean {
    return this.lastId > 0 || this.secured
  }

  listen(stream: Duplex = this.base): void {
    stream.on('data', this.onData)
    stream.on('end', this.onEnd)
    if (stream !== this.socket) stream.on('close', this.onStreamClose)
  }

  private unlisten(stream: Duplex): void {
    stream.off('data', this.onData)
    stream.off('end', this.onEnd)
    stream.off('close', this.onStreamClose)
  }

  // In

  private readonly onData = (chunk: Buffer): void => {
    if (this.secured) {
      this.ground.recorder.bytes('client', 'in', 'tls', chunk)
      this.framer.push(chunk)
    } else {
      for (const octets of this.clear.read(chunk, this.framer.betweenLines || this.framer.opaque))
        this.framer.push(octets)
    }
    this.pump()
    if (this.framer.held > HOLD_LIMIT && !this.upgrading) this.stream.pause()
  }

  private readonly onEnd = (): void => {
    this.ground.noteEnd({ by: 'client', how: 'fin' })
    this.ending = 'seen'
    this.tellEnd()
    // A layer may keep the connection; a client that has gone for good is not waited for without end.
    this.ground.alarm(GONE_MS / this.ground.options.timeScale, () => this.ground.end({ by: 'client', how: 'fin' }))
  }

  /** The layers hear of the client's end after all that it sent: also what waits for the 354 or 334 of a pipelined group. */
  private tellEnd(): void {
    if (this.ending !== 'seen') return
    const body = this.framer.waiting && this.framer.held > 0 && this.watch.verb(this.lastId) !== 'STARTTLS'
    if (body) return
    this.ending = 'told'
    this.ground.stack.fromClient({ type: 'eof', from: 'client' })
  }

  private readonly onStreamClose = (): void => {
    if (!this.upgrading && !this.socket.destroyed) this.ground.end({ by: 'client', how: 'fin' })
  }

  /** Read nothing until {@link release}. */
  holdBack(): void {
    this.heldBack = true
    this.stream.pause()
  }

  release(): void {
    this.heldBack = false
    this.resume()
  }

  /** Read nothing any more: also not that the client has gone, so that the session needs an end of its own. */
  stopReading(): void {
    this.deaf = true
    this.stream.pause()
    this.ground.alarm(DEAF_MS / this.ground.options.timeScale + DEAF_SLACK_MS, () =>
      this.ground.end({ by: 'harness', how: 'deadline', detail: 'nothing was read for so long' }),
    )
  }

  /** Calls back when the client has taken what was written before, at once if it has; never after the end. */
  whenDrained(ring: () => void): void {
    // What layers under TLS make goes straight to the socket.
    const full = [this.stream, this.socket].find(({ writableNeedDrain }) => writableNeedDrain)
    if (full === undefined) ring()
    else full.once('drain', () => this.ground.closed || this.whenDrained(ring))
  }

  private resume(): void {
    if (!this.deaf && !this.heldBack && this.framer.held <= HOLD_LIMIT && !this.upgrading && this.stream.isPaused())
      this.stream.resume()
  }

  /** Nothing is framed until the reply to the command just handed out has left. */
  hold(): void {
    this.framer.hold()
  }

  /** Octets are no longer framed. */
  goOpaque(): void {
    this.framer.goOpaque()
  }

  /** Takes units from the framer as long as it gives some. */
  private pump(): void {
    if (this.pumping) return
    this.pumping = true
    const corked = this.stream
    corked.cork()
    while (!this.ground.closed && !this.upgrading) {
      if (this.framer.opaque) {
        const bytes = this.framer.drain()
        if (bytes.length > 0) this.ground.stack.fromClient({ type: 'bytes', from: 'client', bytes })
        break
      }
      const unit = this.framer.next()
      if (unit === undefined) break
      this.framed(unit)
    }
    corked.uncork()
    this.pumping = false
    if (!this.ground.closed) this.tellEnd()
    this.resume()
  }

  private framed(unit: FramedUnit): void {
    const { secured } = this
    if (unit.type === 'overlong') {
      this.write(Buffer.from(replyText(500, ['5.5.2 Line too long'])))
      this.close({ type: 'close', end: 'client', how: 'fin' })
      return
    }
    if (unit.type === 'content') {
      this.ground.stack.fromClient({
        type: 'content',
        id: this.bodyId,
        of: unit.of,
        bytes: unit.bytes,
        last: unit.last,
        secured,
      })
      return
    }
    this.lastId += 1
    const id = this.lastId
    const { verb, argument, bytes } = unit
    this.sequencer.expect(id)
    if (verb === 'DATA' || verb === 'AUTH' || verb === 'BDAT') this.bodyId = id
    this.watch.command(id, verb, secured)
    this.ground.stack.fromClient({ type: 'command', id, verb, argument, bytes, secured })
  }

  // Out

  /** A reply, or bytes or eof from the server. */
  take(unit: Unit): void {
    if (unit.type === 'reply') for (const reply of this.sequencer.offer(unit)) this.emit(reply)
    else if (unit.type === 'bytes') this.write(unit.bytes)
    else if (unit.type === 'eof') this.close({ type: 'close', end: 'client', how: 'fin' })
  }

  private emit(reply: Reply): void {
    this.write(reply.bytes)
    this.watch.sent(reply)
    if (reply.upgrade !== undefined && !this.ground.closed) this.beginTls(reply.upgrade)
    else if (!this.pumping) this.pump()
  }

  /** The server behind a proxy cannot be reached. */
  unreachable(): void {
    this.write(Buffer.from(replyText(421, ['4.4.1 The server behind this proxy cannot be reached'])))
  }

  private write(bytes: Buffer): void {
    if (bytes.length === 0 || this.ground.closed || this.cutOff || !this.stream.writable) return
    if (this.server.opaque) {
      this.passedOut ??= new PassedThrough(this.ground.recorder, 'client', 'out')
      this.passedOut.record(bytes)
    } else this.ground.recorder.bytes('client', 'out', this.secured ? 'tls' : 'tcp', bytes)
    this.unsent += 1
    if (!this.stream.write(bytes, this.onSent)) this.server.pauseFor(this.stream)
  }

  private readonly onSent = (): void => {
    this.unsent -= 1
    if (this.unsent > 0) return
    const then = this.whenSent
    this.whenSent = undefined
    then?.()
  }

  /** When everything that was written has left TLS, or cannot any more. */
  private afterSent(then: () => void): void {
    while (this.stream.writableCorked > 0) this.stream.uncork()
    if (this.unsent === 0) then()
    else this.whenSent = then
  }

  /** What was written goes out, then FIN. A second end would cost an error object that nobody sees. */
  finishWriting(): void {
    if (!this.stream.writableEnded) this.stream.end()
  }

  close(close: Close): void {
    if (close.how === 'rst') {
      this.ground.noteEnd({ by: 'peer', how: 'rst' })
      this.reset()
      return
    }
    if (close.keepTcp === true && this.secured) {
      this.leaveTls()
      return
    }
    this.ground.noteEnd({ by: 'peer', how: 'fin' })
    if (close.withoutNotify === true && this.secured) {
      this.cutOff = true
      this.afterSent(() => this.base.end())
    } else this.finishWriting()
  }

  /** What was written before goes out first, TLS takes a turn of the loop for it; Linux sends it before the RST. */
  reset(): void {
    const now = (): void => {
      if (this.socket.destroyed) return
      this.socket.resetAndDestroy()
      this.ground.finish()
    }
    if (this.secured) this.afterSent(now)
    else {
      while (this.stream.writableCorked > 0) this.stream.uncork()
      now()
    }
  }

  // TLS

  beginTls(upgrade: Upgrade): void {
    const { options, recorder } = this.ground
    const identity = options.identities[upgrade.context]
    if (identity === undefined) throw new Error(`no TLS identity "${upgrade.context}" at host ${options.host}`)
    this.upgrading = true
    this.unlisten(this.stream)
    while (this.base.writableCorked > 0) this.base.uncork()
    const residue = this.framer.drain()
    const first = upgrade.residue === 'handshake' ? residue : NONE
    if (options.underTls) this.floor = new TlsFloor(this.base)
    const tapped = options.capture && this.pipe === undefined
    const base = tapped
      ? new TlsTap(this.base, (direction, octets) => this.records(direction, octets))
      : (this.floor ?? this.base)
    const { host, tlsLayers, tlsRandom } = options
    startServerTls(
      base,
      identity,
      first,
      recorder,
      { host, tlsLayers, tlsRandom },
      {
        hello: (offer) => {
          this.helloSeen = true
          this.tell({ state: 'hello', ...(offer === undefined ? {} : { offer }) })
        },
        answered: () => this.answered,
        presented: () => this.tell({ state: 'presented' }),
        up: (stream, session, resumed) =>
          this.tlsUp(stream, session, resumed, upgrade.residue === 'commands' ? residue : NONE),
        failed: (reason, how) => this.tlsFailed(reason, how),
        broken: (how) => this.breakOff(how),
      },
    )
  }

  /** All layers hear of TLS at this end, those under it first. */
  private tell(change: Pick<TlsState, 'state' | 'reason' | 'offer' | 'session' | 'resumed'>): void {
    const event: TlsState = { type: 'tls', end: 'client', ...change }
    this.pipe?.tell(event)
    this.ground.stack.all(event)
  }

  /** TLS records, for a capture; those of the ClientHello are in its event. */
  private records(direction: 'in' | 'out', octets: Buffer): void {
    if (this.helloSeen) this.ground.recorder.records('client', direction, octets)
  }

  /** A layer answers the ClientHello: TLS is not started. */
  leaveHello(): void {
    this.answered = true
  }

  private tlsUp(stream: Duplex, session: TlsSession, resumed: boolean, residue: Buffer): void {
    if (this.ground.closed) return
    this.upgrading = false
    this.secured = true
    this.stream = stream
    this.framer.reset()
    this.framer.push(residue)
    this.sequencer.reset()
    this.watch.reset()
    this.tell({ state: 'up', session, resumed })
    stream.on('error', (error: NodeJS.ErrnoException) => this.tlsBroken(error))
    const goOn = (): void => {
      if (this.ground.closed) return
      this.listen(stream)
      this.server.clientIsUp()
      this.pump()
    }
    // The layers of a record plane are still busy with the octets that brought the Finished, and may end it all there.
    if (this.pipe === undefined) goOn()
    else process.nextTick(goOn)
  }

  private tlsFailed(reason: string, how: 'fin' | 'rst' | 'error'): void {
    const { ground, socket } = this
    this.tell({ state: 'failed', reason })
    ground.noteEnd({ by: 'client', how, detail: `TLS: ${reason}` })
    if (ground.closed) return
    if (!socket.destroyed) socket.end()
    ground.finish()
  }

  /** The server itself breaks off, as a layer of its TLS wants it. */
  private breakOff(how: 'fin' | 'rst'): void {
    this.ground.noteEnd({ by: 'peer', how })
    if (how === 'rst') this.reset()
    else this.base.end()
  }

  /** TLS broke after the handshake: an alert of the client, or records that are none. */
  private tlsBroken(error: NodeJS.ErrnoException): void {
    if (error.code === 'ECONNRESET') {
      this.ground.end({ by: 'client', how: 'rst' })
      return
    }
    const alert = alertOf(error)
    this.ground.recorder.event({
      type: 'tls',
      state: 'failed',
      side: 'client',
      reason: error.message,
      ...(alert === undefined ? {} : { alert }),
    })
    this.ground.end({ by: 'client', how: 'error', detail: `TLS: ${error.message}` })
  }

  /** close_notify, and then the same TCP connection in clear (RFC 8446 §6.1). */
  private leaveTls(): void {
    const tls = this.stream
    if (this.floor === undefined) throw new Error('a layer that ends TLS and keeps TCP must declare underTls')
    this.unlisten(tls)
    this.floor.leave()
    tls.end()
    this.ground.recorder.event({ type: 'tls', state: 'closed', side: 'client', by: 'peer' })
    this.secured = false
    this.pipe?.clearAgain()
    this.clear.afterTls()
    this.stream = this.base
    this.framer.reset()
    this.listen(this.base)
    this.base.resume()
  }

  destroy(): void {
    if (this.stream !== this.base) this.stream.destroy()
    this.floor?.destroy()
    this.base.destroy()
    this.socket.destroy()
  }
}
