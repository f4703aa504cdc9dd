/**
 * Framing: a client's octets into commands and content, a server's octets into replies, whatever the chunking. Pure; used
 * by the driver on the live stream and by judging on a recorded one, so that both see the same units.
 *
 * RFC 5321 §2.3.8 and §4.2 (lines, replies), §4.5.2 (end of data), RFC 3030 §2 (BDAT), RFC 4954 §4 (AUTH), RFC 3207 §4.
 *
 * What always holds: every octet pushed comes out exactly once, in order, in a unit or from `drain`; work is per chunk
 * and per line, never per octet.
 */

/** The longest command line that is framed; RFC 5321 §4.5.3.1.4 asks for 512, AUTH responses for 12,288 (RFC 4954 §4). */
export const LINE_LIMIT = 64 * 1024

const CR = 0x0d
const LF = 0x0a
const END_OF_DATA = Buffer.from('\r\n.\r\n')
const EMPTY: Buffer = Buffer.alloc(0)

/** How many octets at the end may be the beginning of {@link END_OF_DATA}: they stay until the next chunk tells. */
function endBegun(octets: Buffer): number {
  for (let count = Math.min(END_OF_DATA.length - 1, octets.length); count > 0; count--) {
    if (END_OF_DATA.compare(octets, octets.length - count, octets.length, 0, count) === 0) return count
  }
  return 0
}

/** A line-buffered queue of chunks; joins only what one unit needs. */
class Pending {
  private chunks: Buffer[] = []
  length = 0

  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.chunks.push(chunk)
    this.length += chunk.length
  }

  /** All pending octets as one buffer, without taking them. */
  peek(): Buffer {
    if (this.chunks.length > 1) this.chunks = [Buffer.concat(this.chunks, this.length)]
    return this.chunks[0] ?? EMPTY
  }

  /** Takes the first `count` octets. */
  take(count: number): Buffer {
    const all = this.peek()
    const head = all.subarray(0, count)
    const rest = all.subarray(count)
    this.chunks = rest.length > 0 ? [rest] : []
    this.length = rest.length
    return head
  }

  takeAll(): Buffer {
    return this.take(this.length)
  }
}

/** One reply, or a run of octets that is none. */
export interface ParsedReply {
  /** The reply code; 0 for octets that are no reply line, and for the first part of an overlong line. */
  readonly code: number
  /** All its lines with their line ends, as they came. */
  readonly bytes: Buffer
  /** True when the last line of the reply is there. False only from {@link ReplyParser.drain} and for overlong lines. */
  readonly complete: boolean
}

/** Splits a server's octets into replies. The code of a multi-line reply is that of its last line. */
export class ReplyParser {
  private readonly pending = new Pending()
  /** Octets of `pending` that belong to whole lines of an unfinished reply. */
  private lines = 0
  /** Where the search for the next LF goes on. */
  private searched = 0

  push(chunk: Buffer): ParsedReply[] {
    this.pending.push(chunk)
    const replies: ParsedReply[] = []
    for (;;) {
      const all = this.pending.peek()
      const end = all.indexOf(LF, this.searched)
      if (end === -1) {
        if (all.length > LINE_LIMIT) replies.push(this.cut(all.length, 0, false))
        else this.searched = all.length
        return replies
      }
      const start = this.lines
      this.searched = end + 1
      this.lines = end + 1
      const code = codeOf(all, start)
      const more = code !== 0 && all[start + 3] === 0x2d
      if (more) continue
      // A line without a code in the middle of a multi-line reply belongs to it.
      if (code === 0 && start > 0) continue
      replies.push(this.cut(end + 1, code, true))
    }
  }

  /** The octets of an unfinished reply; the parser starts afresh. */
  drain(): Buffer {
    this.lines = 0
    this.searched = 0
    return this.pending.takeAll()
  }

  private cut(length: number, code: number, complete: boolean): ParsedReply {
    this.lines = 0
    this.searched = 0
    return { code, bytes: this.pending.take(length), complete }
  }
}

/** Three digits from `start`, or 0. The first is 2 to 5 (RFC 5321 §4.2). */
function codeOf(all: Buffer, start: number): number {
  const [a, b, c] = [digit(all[start]), digit(all[start + 1]), digit(all[start + 2])]
  if (a < 2 || a > 5 || b < 0 || c < 0) return 0
  const next = all[start + 3]
  return next === 0x20 || next === 0x2d || next === 0x0d || next === LF ? a * 100 + b * 10 + c : 0
}

function digit(octet: number | undefined): number {
  return octet !== undefined && octet >= 0x30 && octet <= 0x39 ? octet - 0x30 : -1
}

/** A command line, or a piece of its content. */
export type FramedUnit =
  | { readonly type: 'command'; readonly verb: string; readonly argument: string; readonly bytes: Buffer }
  | { readonly type: 'content'; readonly of: 'DATA' | 'BDAT' | 'AUTH'; readonly bytes: Buffer; readonly last: boolean }
  /** A line over {@link LINE_LIMIT} without an end. */
  | { readonly type: 'overlong'; readonly bytes: Buffer }

type Mode =
  | { readonly in: 'lines' }
  /** After DATA, AUTH or a held command: nothing is framed until the reply is known. */
  | { readonly in: 'waiting'; readonly for: 'DATA' | 'AUTH' | 'HOLD' }
  | { readonly in: 'auth' }
  | { readonly in: 'data'; atStart: boolean }
  | { readonly in: 'chunk'; left: number }
  | { readonly in: 'opaque' }

/**
 * Splits a client's octets into commands and content. `next` hands out one unit at a time; after DATA and AUTH it hands
 * out nothing until {@link settle} says which reply reached the client, because that decides what the next octets are.
 */
export class CommandFramer {
  private readonly pending = new Pending()
  private mode: Mode = { in: 'lines' }

  push(chunk: Buffer): void {
    this.pending.push(chunk)
  }

  /** True while what the client sends waits for a reply to be settled. */
  get waiting(): boolean {
    return this.mode.in === 'waiting'
  }

  /** True where the next octets are a command line, or wait for a reply before they are one. */
  get betweenLines(): boolean {
    return (this.mode.in === 'lines' || this.mode.in === 'waiting') && this.pending.length === 0
  }

  /** True when nothing is framed any more. */
  get opaque(): boolean {
    return this.mode.in === 'opaque'
  }

  /** Octets that have been pushed and not handed out. */
  get held(): number {
    return this.pending.length
  }

  /** The next unit, or undefined when more octets or a reply are needed first (or the stream is opaque). */
  next(): FramedUnit | undefined {
    if (this.pending.length === 0) return undefined
    switch (this.mode.in) {
      case 'lines':
        return this.nextLine()
      case 'auth':
        return this.nextAuth()
      case 'data':
        return this.nextData(this.mode)
      case 'chunk':
        return this.nextChunk(this.mode)
      default:
        return undefined
    }
  }

  /** Hold what comes after the command just handed out until its reply is settled: TLS will be terminated here. */
  hold(): void {
    this.mode = { in: 'waiting', for: 'HOLD' }
  }

  /** The reply to the command just handed out has reached the client (0: none ever will). No-op unless waiting. */
  settle(code: number): void {
    if (this.mode.in !== 'waiting') return
    if (this.mode.for === 'DATA' && code === 354) this.mode = { in: 'data', atStart: true }
    else if (this.mode.for === 'AUTH' && code === 334) this.mode = { in: 'auth' }
    else this.mode = { in: 'lines' }
  }

  /** From now on nothing is framed: take octets with {@link drain}. */
  goOpaque(): void {
    this.mode = { in: 'opaque' }
  }

  /** Start afresh with lines, as after a TLS handshake; pending octets stay unless drained. */
  reset(): void {
    this.mode = { in: 'lines' }
  }

  /** Every octet that has not been handed out. */
  drain(): Buffer {
    return this.pending.takeAll()
  }

  private nextLine(): FramedUnit | undefined {
    const bytes = this.line()
    if (bytes === undefined) return undefined
    if (bytes.length > LINE_LIMIT) return { type: 'overlong', bytes }
    const text = bytes.toString('latin1', 0, bytes.length - (bytes.at(-2) === CR ? 2 : 1))
    const space = text.search(/[ \t]/)
    const verb = (space === -1 ? text : text.slice(0, space)).toUpperCase()
    const argument = space === -1 ? '' : text.slice(space + 1).trim()
    if (verb === 'DATA' || verb === 'AUTH') this.mode = { in: 'waiting', for: verb }
    if (verb === 'BDAT') {
      const size = /^(\d{1,15})(?:\s|$)/.exec(argument)
      if (size !== null && Number(size[1]) > 0) this.mode = { in: 'chunk', left: Number(size[1]) }
    }
    return { type: 'command', verb, argument, bytes }
  }

  private nextAuth(): FramedUnit | undefined {
    const bytes = this.line()
    if (bytes === undefined) return undefined
    if (bytes.length > LINE_LIMIT) return { type: 'overlong', bytes }
    this.mode = { in: 'waiting', for: 'AUTH' }
    return { type: 'content', of: 'AUTH', bytes, last: true }
  }

  private line(): Buffer | undefined {
    const all = this.pending.peek()
    const end = all.indexOf(LF)
    if (end !== -1) return this.pending.take(end + 1)
    return all.length > LINE_LIMIT ? this.pending.takeAll() : undefined
  }

  /** Up to and with CRLF.CRLF; a final dot may also be the very first line (RFC 5321 §4.1.1.4). */
  private nextData(mode: { atStart: boolean }): FramedUnit | undefined {
    const all = this.pending.peek()
    if (mode.atStart) {
      if (all.length < 3 && '.\r\n'.startsWith(all.toString('latin1'))) return undefined
      if (all[0] === 0x2e && all[1] === 0x0d && all[2] === LF) return this.endData(3)
    }
    const end = all.indexOf(END_OF_DATA)
    if (end !== -1) return this.endData(end + END_OF_DATA.length)
    const safe = all.length - endBegun(all)
    if (safe === 0) return undefined
    mode.atStart = false
    return { type: 'content', of: 'DATA', bytes: this.pending.take(safe), last: false }
  }

  private endData(length: number): FramedUnit {
    this.mode = { in: 'lines' }
    return { type: 'content', of: 'DATA', bytes: this.pending.take(length), last: true }
  }

  private nextChunk(mode: { left: number }): FramedUnit {
    const bytes = this.pending.take(Math.min(mode.left, this.pending.length))
    mode.left -= bytes.length
    const last = mode.left === 0
    if (last) this.mode = { in: 'lines' }
    return { type: 'content', of: 'BDAT', bytes, last }
  }
}
