/**
 * One connection of a client: its two ends, the layers between them, and what those ask for. Only here (and in the ends)
 * are sockets, TLS and time.
 *
 * What always holds: every octet on either side is recorded before anything acts on it; what a layer sends leaves in the
 * order in which the sequencer lets it; a session ends exactly once, with all its sockets and timers.
 */
import type { Socket } from 'node:net'
import { ClientSide } from './client-side.ts'
import { RecordPipe } from './record-pipe.ts'
import type { Recorder } from './recorder.ts'
import { ServerSide } from './server-side.ts'
import type { Ending, Ground, SessionOptions } from './session-parts.ts'
import { Stack, type StackSink } from './wire/stack.ts'
import type { Unit, WireOutput } from './wire/units.ts'

export type { NamedLayer, NamedTlsLayer, SessionOptions } from './session-parts.ts'

export class Session implements Ground, StackSink {
  readonly options: SessionOptions
  readonly recorder: Recorder
  readonly stack: Stack
  closed = false
  private readonly socket: Socket
  private readonly ended: () => void
  private readonly pipe: RecordPipe | undefined
  private readonly client: ClientSide
  private readonly server: ServerSide
  private firstEnd: Ending | undefined
  /** Made with the first of them: most sessions have none. */
  private timers: Set<NodeJS.Timeout> | undefined

  constructor(socket: Socket, options: SessionOptions, recorder: Recorder, ended: () => void) {
    this.socket = socket
    this.options = options
    this.recorder = recorder
    this.ended = ended
    this.stack = new Stack(
      options.layers.map(({ layer }) => layer),
      this,
    )
    this.pipe = options.recordLayers.length > 0 || options.underTls ? this.recordPlane() : undefined
    this.server = new ServerSide(this)
    this.client = new ClientSide(this, this.server, socket, this.pipe)
    this.server.join(this.client)
  }

  private recordPlane(): RecordPipe {
    const { recordLayers } = this.options
    const pipe = new RecordPipe(
      this.socket,
      recordLayers.map(({ layer }) => layer),
      {
        effect: (output, layer) =>
          this.perform(output, recordLayers[layer]?.behaviour ?? '', (alarm) => pipe.wake(alarm, layer)),
        made: (octets) => this.recorder.bytes('client', 'out', 'tcp', octets),
        crossed: (direction, octets) => {
          if (this.options.capture) this.recorder.records('client', direction, octets)
        },
      },
    )
    return pipe
  }

  /** Begins: the layers are told, and TLS or the server's banner comes. */
  start(): void {
    const { socket, options } = this
    socket.setNoDelay(true)
    socket.setTimeout(options.idleMs)
    // Not by setTimeout itself: it listens once, which costs as much memory as four listeners.
    socket.on('timeout', () => this.end({ by: 'harness', how: 'deadline', detail: `silent for ${options.idleMs} ms` }))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      this.noteEnd(
        error.code === 'ECONNRESET'
          ? { by: 'client', how: 'rst' }
          : { by: 'client', how: 'error', detail: error.message },
      ),
    )
    socket.on('close', () => this.finish())
    for (const { behaviour } of [...options.layers, ...options.tlsLayers, ...options.recordLayers]) {
      if (behaviour !== undefined)
        this.recorder.event({ type: 'armed', behaviour, host: options.host, detail: 'in place' })
    }
    this.pipe?.tell({ type: 'open' })
    this.stack.all({ type: 'open' })
    if (this.closed) return
    if (options.onConnect !== undefined) this.client.beginTls(options.onConnect)
    else {
      this.client.listen()
      this.server.open()
    }
  }

  end(ending: Ending): void {
    this.noteEnd(ending)
    this.socket.destroy()
    // A destroyed socket closes on the next turn of the loop, but not one whose handle TLS has taken over.
    this.finish()
  }

  noteEnd(ending: Ending): void {
    this.firstEnd ??= ending
  }

  alarm(afterMs: number, ring: () => void): void {
    const timer = setTimeout(() => {
      this.timers?.delete(timer)
      if (!this.closed) ring()
    }, afterMs)
    this.timers ??= new Set()
    this.timers.add(timer)
  }

  finish(): void {
    if (this.closed) return
    this.closed = true
    for (const timer of this.timers ?? []) clearTimeout(timer)
    this.timers = undefined
    this.server.destroy()
    this.client.destroy()
    this.recorder.flush()
    this.recorder.event({ type: 'conn', state: 'closed', ...(this.firstEnd ?? { by: 'client', how: 'fin' }) })
    this.ended()
  }

  // What leaves the stack

  toClient(unit: Unit): void {
    this.client.take(unit)
  }

  toServer(unit: Unit): void {
    this.server.take(unit)
  }

  effect(output: Exclude<WireOutput, Unit>, layer: number): void {
    this.perform(output, this.options.layers[layer]?.behaviour ?? '', (alarm) =>
      this.stack.one({ type: 'wake', alarm }, layer),
    )
  }

  private perform(output: Exclude<WireOutput, Unit>, behaviour: string, wake: (alarm: string) => void): void {
    switch (output.type) {
      case 'hold':
        this.client.hold()
        break
      case 'opaque':
        this.client.goOpaque()
        break
      case 'secure':
        this.server.secure()
        break
      case 'start-tls':
        this.server.beginTls(output.serverName)
        break
      case 'close':
        if (output.end === 'client') this.client.close(output)
        else this.server.close(output.how)
        break
      case 'wake-me':
        this.alarm(output.clock === 'scaled' ? output.afterMs / this.options.timeScale : output.afterMs, () => {
          if (output.drained === true) this.client.whenDrained(() => wake(output.alarm))
          else wake(output.alarm)
        })
        break
      case 'stop-reading':
        this.client.stopReading()
        break
      case 'no-tls':
        this.client.leaveHello()
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
}
