/**
 * One layer of one side of a connection: what is asked and what is answered in it, each reply given to the command that it
 * answers. Pure.
 *
 * Replies come in the order of the commands (RFC 2920 §3.2). A reply that comes when nothing waits for one answers
 * nothing: it is stray, injected or stale. Where a command was never answered, the codes that only one command can have
 * (354, 334, 221 once QUIT was sent, and 220 for STARTTLS) find the step again.
 */
import { CommandFramer, type FramedUnit, ReplyParser } from '../../peers/wire/framing.ts'
import { RecordFollower } from './record-follower.ts'
import type { Entry, Layer, Speaker } from './transcript.ts'

/** Where an event stands in the log. */
export interface Place {
  readonly t: number
  readonly conn: string
  readonly seq: number
}

/** A command that wants a reply. */
interface Ask {
  readonly id: number
  readonly verb: string
  /** DATA after its 354, BDAT: content belongs to it. */
  content: 'none' | 'open' | 'whole'
  /** BDAT … LAST, or DATA. */
  readonly endsMessage: boolean
}

const EMPTY: Buffer = Buffer.alloc(0)
const SLICE = Buffer.alloc(64 * 1024)

export class Lane {
  private readonly layer: Layer
  private readonly side: 'client' | 'upstream'
  private readonly ids: { last: number }
  private readonly emit: (entry: Entry) => void
  private framer = new CommandFramer()
  private replies = new ReplyParser()
  private asks: Ask[] = []
  private body: Ask | undefined
  private readonly offsets = { ask: 0, answer: 0 }
  /**
   * TLS may begin in this layer without the log saying so: on the asking side once STARTTLS has been sent, whatever the
   * answer (some clients take any for a go), on the other once it has been answered 220.
   */
  private readonly tlsMayBegin = { ask: false, answer: false }
  private readonly records = { ask: new RecordFollower(), answer: new RecordFollower() }
  /** After a hole the rest of a line says nothing. */
  private readonly skipLine = { ask: false, answer: false }

  constructor(layer: Layer, side: 'client' | 'upstream', ids: { last: number }, emit: (entry: Entry) => void) {
    this.layer = layer
    this.side = side
    this.ids = ids
    this.emit = emit
  }

  expectBanner(): void {
    this.asks.push({ id: 0, verb: '', content: 'none', endsMessage: false })
  }

  /** TLS begins with the connection. */
  expectTls(): void {
    this.tlsMayBegin.ask = true
    this.tlsMayBegin.answer = true
  }

  /** Nothing that was asked will be answered any more. */
  forget(): void {
    this.asks = []
    this.body = undefined
  }

  /** The session begins afresh; offsets go on. */
  restart(): void {
    this.forget()
    this.framer = new CommandFramer()
    this.replies = new ReplyParser()
    this.tlsMayBegin.ask = false
    this.tlsMayBegin.answer = false
    this.records.ask = new RecordFollower()
    this.records.answer = new RecordFollower()
  }

  asked(octets: Buffer, place: Place): void {
    let rest = octets
    if (this.tlsMayBegin.ask && this.framer.held === 0 && !this.inContent) {
      const taken = this.records.ask.take(rest)
      if (taken > 0) this.bytes('ask', 'tls-records', rest.subarray(0, taken), place)
      rest = rest.subarray(taken)
    }
    this.framer.push(this.afterHole('ask', rest, place))
    this.pump(place)
  }

  answered(octets: Buffer, place: Place): void {
    let rest = octets
    if (this.tlsMayBegin.answer) {
      const taken = this.records.answer.take(rest)
      if (taken > 0) this.bytes('answer', 'tls-records', rest.subarray(0, taken), place)
      rest = rest.subarray(taken)
    }
    for (const { code, bytes, complete } of this.replies.push(this.afterHole('answer', rest, place))) {
      if (code === 0 || !complete) this.bytes('answer', 'text', bytes, place)
      else this.reply(code, bytes, place)
    }
    this.pump(place)
  }

  /** The log did not keep `length` octets here; `hits` are the canaries that were seen in them. */
  hole(direction: 'ask' | 'answer', length: number, hits: readonly string[], place: Place): void {
    const unfinished = direction === 'ask' ? this.framer.drain() : this.replies.drain()
    const content = direction === 'ask' && this.inContent
    if (unfinished.length > 0) {
      if (content) this.content(unfinished, false, place)
      else this.bytes(direction, 'text', unfinished, place)
    }
    this.emit({
      kind: 'bytes',
      what: 'elided',
      missing: length,
      hits,
      ...this.common(direction, EMPTY, place),
    })
    this.offsets[direction] += length
    if (!content) this.skipLine[direction] = true
    else if (this.body?.verb === 'BDAT') this.skipChunk(length)
  }

  /** Lets the framer count octets of a BDAT chunk that the log did not keep. */
  private skipChunk(length: number): void {
    for (let left = length; left > 0; left -= SLICE.length) {
      this.framer.push(SLICE.subarray(0, left))
      for (let unit = this.framer.next(); unit?.type === 'content'; unit = this.framer.next()) {
        if (unit.last && this.body !== undefined) this.body.content = 'whole'
      }
    }
  }

  /** What is unfinished when the layer ends. */
  drain(place: Place): void {
    const asked = this.framer.drain()
    if (asked.length > 0) {
      if (this.inContent) this.content(asked, false, place)
      else this.bytes('ask', 'text', asked, place)
    }
    const answered = this.replies.drain()
    if (answered.length > 0) this.bytes('answer', 'text', answered, place)
  }

  /** What the client sends now belongs to a message. */
  private get inContent(): boolean {
    return this.body?.content === 'open'
  }

  private afterHole(direction: 'ask' | 'answer', octets: Buffer, place: Place): Buffer {
    if (!this.skipLine[direction]) return octets
    const end = octets.indexOf(0x0a)
    const cut = end === -1 ? octets.length : end + 1
    if (end !== -1) this.skipLine[direction] = false
    if (cut > 0) this.bytes(direction, 'text', octets.subarray(0, cut), place)
    return octets.subarray(cut)
  }

  private pump(place: Place): void {
    for (let unit = this.framer.next(); unit !== undefined; unit = this.framer.next()) this.unit(unit, place)
  }

  private unit(unit: FramedUnit, place: Place): void {
    if (unit.type === 'overlong') this.bytes('ask', 'text', unit.bytes, place)
    else if (unit.type === 'content') this.content(unit.bytes, unit.last, place, unit.of)
    else this.command(unit, place)
  }

  private command(unit: Extract<FramedUnit, { type: 'command' }>, place: Place): void {
    this.ids.last += 1
    const { verb, argument, bytes } = unit
    const behind = this.asks[0]?.id
    const bdat = verb === 'BDAT'
    const empty = bdat && /^0+(\s|$)/.test(argument)
    const ask: Ask = {
      id: this.ids.last,
      verb,
      content: bdat ? (empty ? 'whole' : 'open') : 'none',
      endsMessage: verb === 'DATA' || (bdat && /\sLAST$/i.test(argument)),
    }
    this.asks.push(ask)
    if (bdat || verb === 'DATA' || verb === 'AUTH') this.body = ask
    if (verb === 'STARTTLS' && this.layer === 'clear') this.tlsMayBegin.ask = true
    this.emit({
      kind: 'command',
      id: ask.id,
      verb,
      argument,
      ...(behind === undefined ? {} : { behind }),
      ...this.common('ask', bytes, place),
    })
    this.offsets.ask += bytes.length
  }

  private content(bytes: Buffer, last: boolean, place: Place, of?: 'DATA' | 'BDAT' | 'AUTH'): void {
    const id = this.body?.id ?? 0
    const what = of ?? (this.body?.verb === 'BDAT' ? 'BDAT' : 'DATA')
    this.emit({ kind: 'content', of: what, id, last, ...this.common('ask', bytes, place) })
    this.offsets.ask += bytes.length
    if (last && this.body !== undefined && what !== 'AUTH') this.body.content = 'whole'
  }

  private reply(code: number, bytes: Buffer, place: Place): void {
    const ask = this.claim(code)
    const interim =
      ask !== undefined && ((code === 354 && ask.verb === 'DATA') || (code === 334 && ask.verb === 'AUTH'))
    const accepts = ask !== undefined && code >= 200 && code < 300 && ask.endsMessage && ask.content === 'whole'
    this.emit({
      kind: 'reply',
      code,
      answers: ask?.id ?? null,
      interim,
      accepts,
      ...this.common('answer', bytes, place),
    })
    this.offsets.answer += bytes.length
    if (ask === undefined) return
    if (interim && ask.verb === 'DATA') ask.content = 'open'
    if (!interim) this.asks.shift()
    if (ask.verb === 'DATA' || ask.verb === 'AUTH') this.framer.settle(code)
    if (ask.verb === 'STARTTLS' && code === 220 && this.layer === 'clear') this.tlsMayBegin.answer = true
  }

  /** The command that a reply answers; those before it that never got theirs are given up. */
  private claim(code: number): Ask | undefined {
    const only = code === 354 ? 'DATA' : code === 334 ? 'AUTH' : code === 221 ? 'QUIT' : undefined
    if (only !== undefined) {
      const at = this.asks.findIndex((ask) => ask.verb === only && ask.content === 'none')
      if (at > 0) this.asks.splice(0, at)
    }
    const [head, next] = this.asks
    if (head === undefined) return undefined
    if (next !== undefined && code < 400 && code !== 220 && (head.verb === 'STARTTLS' || head.id === 0)) {
      this.asks.shift()
      return this.asks[0]
    }
    // A positive reply in the middle of the content cannot be the one that ends it.
    if (head.content === 'open' && code < 400) return undefined
    return head
  }

  private bytes(direction: 'ask' | 'answer', what: 'tls-records' | 'text', bytes: Buffer, place: Place): void {
    this.emit({ kind: 'bytes', what, ...this.common(direction, bytes, place) })
    this.offsets[direction] += bytes.length
  }

  private common(direction: 'ask' | 'answer', bytes: Buffer, place: Place) {
    const asking: Speaker = this.side === 'client' ? 'client' : 'proxy'
    const answering: Speaker = this.side === 'client' ? 'peer' : 'server'
    return {
      ...place,
      side: this.side,
      layer: this.layer,
      from: direction === 'ask' ? asking : answering,
      offset: this.offsets[direction],
      bytes,
    }
  }
}
