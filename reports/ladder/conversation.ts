/**
 * One side of one connection as messages: commands, content and replies out of recorded octets, framed by the same code
 * that framed them live (peers/wire/framing.ts), so that the ladder shows the units that the behaviours saw.
 *
 * What always holds: every recorded octet is in exactly one message, in order; octets that are not SMTP are told by their
 * number. What the log left out (`elided`) is counted in length and offset.
 */
import type { BytesCrossed } from '../../peers/events.ts'
import { CommandFramer, type FramedUnit, ReplyParser } from '../../peers/wire/framing.ts'

export interface Message {
  readonly from: 'client' | 'server'
  readonly tls: boolean
  readonly form: 'command' | 'reply' | 'content' | 'fragment' | 'opaque'
  /** For content, and for the command that announces it. */
  readonly of?: 'DATA' | 'BDAT' | 'AUTH'
  readonly octets: Buffer
  /** With what the log left out. */
  readonly length: number
  readonly offset: number
  readonly began: number
  readonly at: number
  readonly pieces: number
  /** Canaries that were found in what the log left out. */
  readonly hits: readonly string[]
}

/** A message that is not over. */
interface Draft {
  chunks: Buffer[]
  form: Message['form']
  of: Message['of']
}

/** One direction: where it stands, and when what is pending came. */
class Stream {
  readonly from: 'client' | 'server'
  readonly tls: boolean
  opaque = false
  draft: Draft | undefined
  /** Octets of all messages so far. */
  private offset = 0
  /** What has come and is in no message yet: octets left of each chunk and its time. */
  private arrivals: { t: number; left: number }[] = []
  private gap = 0
  private hits: readonly string[] = []

  constructor(from: 'client' | 'server', tls: boolean) {
    this.from = from
    this.tls = tls
  }

  arrive(event: BytesCrossed): void {
    this.arrivals.push({ t: event.t, left: event.data.length })
    if (event.elided === undefined) return
    this.gap += Math.max(0, event.elided.length - event.data.length)
    this.hits = event.elided.hits
  }

  /** Makes the next octets of the stream a message. */
  message(form: Message['form'], octets: Buffer, of?: Message['of']): Message {
    const pieces = this.leave(octets.length)
    const length = octets.length + this.gap
    const { from, tls, offset, hits } = this
    this.offset += length
    this.gap = 0
    this.hits = []
    const times = { began: pieces[0] ?? 0, at: pieces.at(-1) ?? 0, pieces: pieces.length }
    return { from, tls, form, octets, length, offset, hits, ...times, ...(of === undefined ? {} : { of }) }
  }

  /** The times of the chunks that held the next `length` octets. */
  private leave(length: number): number[] {
    const times: number[] = []
    let left = length
    while (left > 0) {
      const [first] = this.arrivals
      if (first === undefined) break
      times.push(first.t)
      const taken = Math.min(left, first.left)
      first.left -= taken
      left -= taken
      if (first.left === 0) this.arrivals.shift()
    }
    return times
  }
}

/** TLS records begin with their type, 20 to 23, and the major version 3 (RFC 8446 §5.1). */
function looksLikeTls(octets: Buffer): boolean {
  return octets.length > 1 && (octets[0] ?? 0) >= 20 && (octets[0] ?? 0) <= 23 && octets[1] === 3
}

/** The octets between a client and a server, one layer after the other. */
export class Conversation {
  /** Of each direction one stream per layer, in clear and inside TLS: offsets go on where a layer comes back. */
  private readonly clients = [new Stream('client', false), new Stream('client', true)] as const
  private readonly servers = [new Stream('server', false), new Stream('server', true)] as const
  private tls = false
  private framer = new CommandFramer()
  private parser = new ReplyParser()
  /** Verbs that wait for their final reply; the banner is the first. */
  private asked: string[] = ['']
  private unparsed = 0

  private get client(): Stream {
    return this.clients[this.tls ? 1 : 0]
  }

  private get server(): Stream {
    return this.servers[this.tls ? 1 : 0]
  }

  /** The messages that these octets complete. `from` says who sent them. */
  push(event: BytesCrossed, from: 'client' | 'server'): Message[] {
    const tls = event.layer === 'tls'
    const ended = tls === this.tls ? [] : this.turn(tls)
    const stream = from === 'client' ? this.client : this.server
    stream.arrive(event)
    return [...ended, ...(from === 'client' ? this.fromClient(event) : this.fromServer(event.data))]
  }

  /** What is left of both directions, whole or not: the layer changes or the connection ends. */
  end(): Message[] {
    const { client, server } = this
    const held = this.framer.drain()
    client.draft?.chunks.push(held)
    const alone = client.draft === undefined && held.length > 0
    const messages = [...this.endDraft(client), ...this.endDraft(server)]
    if (alone) messages.push(client.message('fragment', held))
    const rest = this.parser.drain()
    if (rest.length > 0) messages.push(server.message('fragment', rest))
    this.unparsed = 0
    return messages
  }

  private turn(tls: boolean): Message[] {
    const messages = this.end()
    this.tls = tls
    this.framer = new CommandFramer()
    this.parser = new ReplyParser()
    this.asked = []
    return messages
  }

  private fromClient(event: BytesCrossed): Message[] {
    const stream = this.client
    const fresh = this.framer.held === 0 && stream.draft === undefined
    if (stream.opaque || (fresh && !stream.tls && looksLikeTls(event.data))) return this.opaque(stream, event.data)
    const messages = this.endDraft(this.server)
    this.framer.push(event.data)
    messages.push(...this.frames())
    // The log left out part of a chunk, so the framer cannot count its octets: what comes next is a command.
    if (event.elided !== undefined && stream.draft?.of === 'BDAT') {
      this.framer = new CommandFramer()
      messages.push(...this.endDraft(stream))
    }
    return messages
  }

  private frames(): Message[] {
    const messages: Message[] = []
    for (let unit = this.framer.next(); unit !== undefined; unit = this.framer.next()) messages.push(...this.frame(unit))
    return messages
  }

  private frame(unit: FramedUnit): Message[] {
    const stream = this.client
    switch (unit.type) {
      case 'overlong':
        return [stream.message('fragment', unit.bytes)]
      case 'command': {
        this.asked.push(unit.verb)
        const of = unit.verb === 'AUTH' ? 'AUTH' : undefined
        return [stream.message('command', unit.bytes, of)]
      }
      case 'content': {
        const draft = (stream.draft ??= { chunks: [], form: 'content', of: unit.of })
        draft.chunks.push(unit.bytes)
        return unit.last ? this.endDraft(stream) : []
      }
    }
  }

  private fromServer(octets: Buffer): Message[] {
    const stream = this.server
    if (stream.opaque || (this.unparsed === 0 && !stream.tls && looksLikeTls(octets))) return this.opaque(stream, octets)
    const messages = this.endDraft(this.client, 'opaque')
    this.unparsed += octets.length
    for (const reply of this.parser.push(octets)) {
      this.unparsed -= reply.bytes.length
      messages.push(stream.message('reply', reply.bytes))
      this.settle(reply.code)
      messages.push(...this.frames())
    }
    return messages
  }

  /** Tells the framer which reply its DATA or AUTH got: replies come in the order of the commands. */
  private settle(code: number): void {
    const [verb] = this.asked
    const interim = code >= 300 && code < 400
    if (!interim) this.asked.shift()
    if (verb === 'DATA' || verb === 'AUTH' || code === 354 || code === 334 || this.asked.length === 0) this.framer.settle(code)
  }

  private opaque(stream: Stream, octets: Buffer): Message[] {
    stream.opaque = true
    const other = stream === this.client ? this.server : this.client
    const messages = this.endDraft(other)
    stream.draft ??= { chunks: [], form: 'opaque', of: undefined }
    stream.draft.chunks.push(octets)
    return messages
  }

  private endDraft(stream: Stream, only?: Message['form']): Message[] {
    const { draft } = stream
    if (draft === undefined || (only !== undefined && draft.form !== only)) return []
    stream.draft = undefined
    return [stream.message(draft.form, Buffer.concat(draft.chunks), draft.of)]
  }
}
