/**
 * The transcript of one side of one connection as messages to draw: pieces of content are one message, and each message
 * knows when its first octet came, when its last, and in how many pieces. The transcript is the one that judging reads
 * (scenarios/judge/transcript.ts), so that a ladder shows what the verdict was made of.
 *
 * What always holds: the messages of one direction and layer have offsets that rise, and no octet is in two of them.
 */
import type { PeerEvent } from '../../peers/events.ts'
import { type Entry, type Placed, readTranscript } from '../../scenarios/judge/transcript.ts'
import type { LadderRow, MessageRow } from './rows.ts'

export interface Message {
  readonly from: 'client' | 'server'
  readonly tls: boolean
  readonly form: 'command' | 'reply' | 'content' | 'fragment' | 'opaque'
  /** For content: whose. */
  readonly of?: 'DATA' | 'BDAT' | 'AUTH'
  /** True for a reply that answers no command. */
  readonly stray: boolean
  readonly octets: Buffer
  /** With what the log left out. */
  readonly length: number
  readonly offset: number
  /** Position in the log of the event that completed it; of its first octet for what is opaque. */
  readonly seq: number
  /** Milliseconds since the run began: its first octet, and its last (for what is opaque also its first). */
  readonly began: number
  readonly at: number
  readonly pieces: number
  /** Canaries that were found in what the log left out. */
  readonly hits: readonly string[]
}

/** A row with its place in the log; `connection` and `secured` are filled in when all rows are there. */
export interface Draft<Row extends LadderRow = LadderRow> {
  row: Row
  readonly seq: number
  readonly conn?: string
}

/** A message that is still being marked. */
export interface MessageDraft extends Draft<MessageRow> {
  readonly conn: string
  readonly message: Message
}

/** A stretch of octets that crossed at once. */
interface Chunk {
  readonly start: number
  readonly end: number
  readonly t: number
  readonly seq: number
}

interface Unfinished {
  readonly entry: Entry
  readonly from: 'client' | 'server'
  readonly form: Message['form']
  readonly key: string
  readonly octets: Buffer[]
  readonly hits: string[]
  length: number
}

/** `events` are those of one connection, in the order of the log. */
export function messagesOf(events: readonly Placed<PeerEvent>[], side: 'client' | 'upstream'): Message[] {
  const chunks = chunksOf(events, side)
  const drafts: Unfinished[] = []
  /** By direction the draft that the next entry may go on with. */
  const open = new Map<Unfinished['from'], Unfinished>()
  for (const entry of readTranscript(events, side)) {
    if (entry.kind === 'tls' || entry.kind === 'eof') continue
    const from = entry.from === 'client' || entry.from === 'proxy' ? 'client' : 'server'
    const missing = entry.kind === 'bytes' ? (entry.missing ?? 0) : 0
    const key = keyOf(entry)
    const last = open.get(from)
    const goesOn =
      last !== undefined && last.entry.layer === entry.layer && (missing > 0 || (key !== '' && key === last.key))
    const draft: Unfinished = goesOn ? last : { entry, from, form: formOf(entry), key, octets: [], hits: [], length: 0 }
    if (!goesOn) drafts.push(draft)
    open.set(from, draft)
    draft.octets.push(entry.bytes)
    draft.length += entry.bytes.length + missing
    if (entry.kind === 'bytes') draft.hits.push(...(entry.hits ?? []))
  }
  return [
    ...drafts.map((draft) => finished(draft, chunks.get(`${draft.from} ${draft.entry.layer}`) ?? [])),
    ...(opensTls(events, side) ? [] : passedThrough(chunks)),
  ]
}

/** True when TLS ended here: then ciphertext in the log is a capture of what the log also has in plain. */
function opensTls(events: readonly Placed<PeerEvent>[], side: 'client' | 'upstream'): boolean {
  return events.some(({ event }) => event.type === 'tls' && event.side === side && event.state !== 'hello')
}

/** Ciphertext that nobody opened here: one message per direction. */
function passedThrough(chunks: ReadonlyMap<string, readonly Chunk[]>): Message[] {
  return (['client', 'server'] as const).flatMap((from) => {
    const own = chunks.get(`${from} cipher`) ?? []
    const [first] = own
    if (first === undefined) return []
    const times = { seq: first.seq, began: first.t, at: first.t, pieces: own.length }
    const what = { from, tls: true, form: 'opaque', stray: false, hits: [], octets: Buffer.alloc(0) } as const
    return [{ ...what, ...times, offset: 0, length: own.at(-1)?.end ?? 0 }]
  })
}

/** Entries with the same key, not '', are one message when nothing else of their direction is between them. */
function keyOf(entry: Entry): string {
  if (entry.kind === 'content') return `${entry.of} ${entry.id}${entry.of === 'AUTH' ? ` ${entry.offset}` : ''}`
  return entry.kind === 'bytes' && entry.what === 'tls-records' ? 'tls-records' : ''
}

function formOf(entry: Entry): Message['form'] {
  if (entry.kind === 'bytes') return entry.what === 'tls-records' ? 'opaque' : 'fragment'
  return entry.kind === 'command' || entry.kind === 'reply' ? entry.kind : 'content'
}

function finished(draft: Unfinished, chunks: readonly Chunk[]): Message {
  const { entry, from, form, length } = draft
  const { offset } = entry
  const own = chunks.filter((chunk) => chunk.start < offset + length && chunk.end > offset)
  const first = own[0] ?? entry
  const last = form === 'opaque' ? first : (own.at(-1) ?? entry)
  return {
    ...{ from, form, offset, length, octets: Buffer.concat(draft.octets), hits: draft.hits },
    ...(entry.kind === 'content' ? { of: entry.of } : {}),
    tls: entry.layer === 'tls',
    stray: entry.kind === 'reply' && entry.answers === null,
    seq: last.seq,
    began: first.t,
    at: last.t,
    pieces: own.length,
  }
}

/** The chunks of each direction and layer, by where they lie in it. */
function chunksOf(
  events: readonly Placed<PeerEvent>[],
  side: 'client' | 'upstream',
): ReadonlyMap<string, readonly Chunk[]> {
  const streams = new Map<string, Chunk[]>()
  for (const { event, seq } of events) {
    if (event.type !== 'bytes' || event.side !== side) continue
    const from = (event.direction === 'in') === (side === 'client') ? 'client' : 'server'
    const key = `${from} ${event.layer === 'tcp' ? 'clear' : event.layer}`
    const stream = streams.get(key) ?? []
    const start = stream.at(-1)?.end ?? 0
    stream.push({ start, end: start + (event.elided?.length ?? event.data.length), t: event.t, seq })
    streams.set(key, stream)
  }
  return streams
}
