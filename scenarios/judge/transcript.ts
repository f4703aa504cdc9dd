/**
 * The octets of one connection, read again as commands, replies and content: what the client under test said, what reached
 * it, in which layer and in what order. Pure; uses the same framing as the driver. The ladder of a report shows the same
 * entries.
 *
 * What always holds: entries stand in the order of the log; every octet of the layers `tcp` and `tls` is in exactly one
 * entry, but for those that the log elided; `offset` counts the octets of its direction and layer before the entry.
 *
 * RFC 5321 §4.1, §4.2; RFC 2920 §3.2 (order of replies); RFC 3207 §4.2 (TLS starts both sides afresh).
 */
import type { BytesCrossed, ConnClosed, PeerEvent } from '../../peers/events.ts'
import { Lane } from './lane.ts'

/** Who spoke: `proxy` and `server` are the two ends of the connection behind a man in the middle. */
export type Speaker = 'client' | 'peer' | 'proxy' | 'server'
export type Layer = 'clear' | 'tls'

interface Common {
  readonly t: number
  readonly conn: string
  readonly side: 'client' | 'upstream'
  readonly from: Speaker
  readonly layer: Layer
  /** Position in the log of its cell: tells the order across connections, also where times are equal. */
  readonly seq: number
  readonly offset: number
  readonly bytes: Buffer
}

export interface CommandEntry extends Common {
  readonly kind: 'command'
  /** Counts the commands of a connection and side from 1. */
  readonly id: number
  /** Upper case; '' for an empty line. */
  readonly verb: string
  readonly argument: string
  /** The oldest command that still wanted a reply when this one came; 0 is the banner. */
  readonly behind?: number
}

export interface ReplyEntry extends Common {
  readonly kind: 'reply'
  readonly code: number
  /** The command that it answers, 0 the banner; null when nothing was asked. */
  readonly answers: number | null
  /** 354 and 334: more is to come. */
  readonly interim: boolean
  /** A 2xx that follows the whole content of a DATA or BDAT LAST: the message is the peer's now (RFC 5321 §6.1). */
  readonly accepts: boolean
}

export interface ContentEntry extends Common {
  readonly kind: 'content'
  readonly of: 'DATA' | 'BDAT' | 'AUTH'
  /** The id of its command. */
  readonly id: number
  readonly last: boolean
}

/** Octets that are neither: TLS records in a stream that nobody terminated, garbage, an unfinished line. */
export interface BytesEntry extends Common {
  readonly kind: 'bytes'
  readonly what: 'tls-records' | 'text' | 'elided'
  /** For `elided`: octets that the log did not keep. */
  readonly missing?: number
  /** For `elided`: the names of the canaries that were found while they streamed. */
  readonly hits?: readonly string[]
}

export interface TlsEntry extends Common {
  readonly kind: 'tls'
  readonly state: 'hello' | 'presented' | 'up' | 'failed' | 'closed'
  readonly detail: string
}

export interface EndEntry extends Common {
  readonly kind: 'eof'
  readonly by: ConnClosed['by']
  readonly how: ConnClosed['how']
  readonly detail: string
}

export type Entry = CommandEntry | ReplyEntry | ContentEntry | BytesEntry | TlsEntry | EndEntry

/** An event and its position in the log of its cell. */
export interface Placed<Event> {
  readonly event: Event
  readonly seq: number
}

/** Reads one side of one connection. `events` are those of the connection, in the order of the log. */
export function readTranscript(events: readonly Placed<PeerEvent>[], side: 'client' | 'upstream'): Entry[] {
  const opening = events.find(({ event }) => event.type === 'conn' && event.state === 'open')?.event
  const tlsOnConnect = opening?.type === 'conn' && opening.state === 'open' && opening.tlsOnConnect && side === 'client'
  const reading = new Reading(side, tlsOnConnect)
  for (const placed of events) reading.take(placed)
  return reading.finish()
}

class Reading {
  private readonly side: 'client' | 'upstream'
  private readonly entries: Entry[] = []
  private readonly clear: Lane
  private readonly tls: Lane
  private readonly tlsOnConnect: boolean
  private lastSeen: { t: number; conn: string; seq: number } = { t: 0, conn: '', seq: 0 }

  constructor(side: 'client' | 'upstream', tlsOnConnect: boolean) {
    this.side = side
    this.tlsOnConnect = tlsOnConnect
    const ids = { last: 0 }
    const emit = (entry: Entry): void => void this.entries.push(entry)
    this.clear = new Lane('clear', side, ids, emit)
    this.tls = new Lane('tls', side, ids, emit)
    if (tlsOnConnect) this.clear.expectTls()
    else this.clear.expectBanner()
  }

  take({ event, seq }: Placed<PeerEvent>): void {
    if (event.type === 'bytes') {
      if (event.side === this.side && event.layer !== 'cipher') this.bytes(event, seq)
    } else if (event.type === 'tls') {
      if (event.side === this.side && event.state !== 'secret') this.tlsState(event, seq)
    } else if (event.type === 'conn' && event.state === 'closed' && this.side === 'client') this.closed(event, seq)
  }

  finish(): Entry[] {
    this.clear.drain(this.lastSeen)
    this.tls.drain(this.lastSeen)
    return this.entries.sort((a, b) => a.seq - b.seq)
  }

  private bytes(event: BytesCrossed, seq: number): void {
    const lane = event.layer === 'tcp' ? this.clear : this.tls
    const place = { t: event.t, conn: event.conn, seq }
    this.lastSeen = place
    const hole = event.elided === undefined ? 0 : event.elided.length - event.data.length
    // On the upstream side the proxy is the one that asks.
    const asks = (event.direction === 'in') === (this.side === 'client')
    if (hole > 0) lane.hole(asks ? 'ask' : 'answer', hole, event.elided?.hits ?? [], place)
    if (asks) lane.asked(event.data, place)
    else lane.answered(event.data, place)
  }

  private tlsState(event: Extract<PeerEvent, { type: 'tls' }>, seq: number): void {
    const place = { t: event.t, conn: event.conn, seq }
    if (event.state === 'up') {
      this.clear.drain(place)
      this.clear.forget()
      this.tls.restart()
      if (this.tlsOnConnect) this.tls.expectBanner()
    } else if (event.state === 'closed') {
      this.tls.drain(place)
      this.tls.forget()
      this.clear.restart()
    }
    this.entries.push({
      kind: 'tls',
      state: event.state as TlsEntry['state'],
      detail: tlsDetail(event),
      ...place,
      side: this.side,
      from: this.side === 'client' ? 'client' : 'proxy',
      layer: 'tls',
      offset: 0,
      bytes: Buffer.alloc(0),
    })
  }

  private closed(event: ConnClosed, seq: number): void {
    const place = { t: event.t, conn: event.conn, seq }
    this.clear.drain(place)
    this.tls.drain(place)
    const from: Speaker = event.by === 'client' ? 'client' : event.by === 'server' ? 'server' : 'peer'
    const detail = event.detail ?? ''
    this.entries.push({
      kind: 'eof',
      by: event.by,
      how: event.how,
      detail,
      ...place,
      side: this.side,
      from,
      layer: 'clear',
      offset: 0,
      bytes: Buffer.alloc(0),
    })
  }
}

function tlsDetail(event: Extract<PeerEvent, { type: 'tls' }>): string {
  switch (event.state) {
    case 'hello':
      return event.hello.format === 'none' ? 'no ClientHello' : `ClientHello, SNI ${event.hello.serverName ?? 'none'}`
    case 'presented':
      return `${event.chain.length} certificate${event.chain.length === 1 ? '' : 's'}`
    case 'up':
      return `${event.version} ${event.cipher}${event.resumed ? ', resumed' : ''}`
    case 'failed':
      return event.alert === undefined ? event.reason : `alert ${event.alert}`
    case 'closed':
      return `close_notify by the ${event.by}`
    case 'secret':
      return ''
  }
}
