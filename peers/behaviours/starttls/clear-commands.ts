/**
 * What a client sends after a STARTTLS that led to no TLS: TLS records of a client that starts its handshake anyway, or
 * commands of one that goes on in clear. A server that knows no TLS reads both as command lines; here records are told
 * apart by their header (RFC 8446 §5.1, RFC 6101 appendix E for the SSLv2 hello), so that the answer to a handshake does
 * not hang on whether its random octets happen to hold a line feed.
 *
 * What always holds: records are looked for only before the first octet of text, for nothing but a ClientHello and its
 * alert can come before; every octet comes out once, in order; ids go on from that of the STARTTLS command.
 */
import { CommandFramer, type FramedUnit } from '../../wire/framing.ts'
import type { Command, Content, Reply } from '../../wire/units.ts'

/** A whole TLS record, or an SSLv2-format hello. */
export interface RecordSeen {
  readonly type: 'record'
  /** It begins a handshake: content type 22, or an SSLv2 hello. */
  readonly hello: boolean
  readonly bytes: Buffer
}

const HANDSHAKE = 22

export class ClearCommands {
  private readonly framer = new CommandFramer()
  private records = Buffer.alloc(0)
  private text = false
  private lastId: number
  /** The command whose reply decides what comes next: DATA or AUTH. */
  private awaited = 0

  /** `lastId`: the id of the STARTTLS command. */
  constructor(lastId: number) {
    this.lastId = lastId
  }

  push(bytes: Buffer): (RecordSeen | Command | Content)[] {
    if (this.text) return this.framed(bytes)
    this.records = Buffer.concat([this.records, bytes])
    const units: (RecordSeen | Command | Content)[] = []
    for (;;) {
      const length = recordLength(this.records)
      if (length === 0) {
        this.text = true
        return [...units, ...this.framed(this.records)]
      }
      if (length === undefined || this.records.length < length) return units
      const record = this.records.subarray(0, length)
      this.records = this.records.subarray(length)
      units.push({ type: 'record', hello: record[0] === HANDSHAKE || isSslv2(record), bytes: record })
    }
  }

  /** A reply goes out to the client; what it lets through comes back. */
  settle(reply: Reply): (Command | Content)[] {
    if (reply.id !== this.awaited || !this.framer.waiting) return []
    this.framer.settle(reply.code)
    return this.drain()
  }

  private framed(bytes: Buffer): (Command | Content)[] {
    this.framer.push(bytes)
    return this.drain()
  }

  private drain(): (Command | Content)[] {
    const units: (Command | Content)[] = []
    for (let unit = this.framer.next(); unit !== undefined; unit = this.framer.next()) units.push(this.unit(unit))
    return units
  }

  private unit(unit: FramedUnit): Command | Content {
    if (unit.type === 'content') {
      if (unit.of === 'AUTH') this.awaited = this.lastId
      return { ...unit, id: this.lastId, secured: false }
    }
    this.lastId += 1
    this.awaited = this.lastId
    if (unit.type === 'command') return { ...unit, id: this.lastId, secured: false }
    return { type: 'command', id: this.lastId, verb: '', argument: '', bytes: unit.bytes, secured: false }
  }
}

/** Length of the record at the start, 0 where there is none, undefined while more octets must tell. */
function recordLength(octets: Buffer): number | undefined {
  const [first, second] = octets
  if (first === undefined) return undefined
  if (first >= 0x80) return octets.length < 3 ? undefined : isSslv2(octets) ? 2 + (octets.readUInt16BE(0) & 0x7fff) : 0
  if (first < 20 || first > 23) return 0
  if (second === undefined) return undefined
  if (second !== 3) return 0
  return octets.length < 5 ? undefined : 5 + octets.readUInt16BE(3)
}

function isSslv2(octets: Buffer): boolean {
  return (octets[0] ?? 0) >= 0x80 && octets[2] === 1
}
