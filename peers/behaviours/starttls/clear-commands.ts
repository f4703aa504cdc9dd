/**
 * What a client sends after a STARTTLS that led to no TLS: TLS records of a client that starts its handshake anyway, or
 * commands of one that goes on in clear. A server that knows no TLS reads both as command lines; here records are told
 * apart, so that the answer to a handshake does not hang on whether its random octets happen to hold a line feed.
 *
 * What always holds: records are looked for only before the first octet of text, for nothing but a ClientHello and its
 * alert can come before; every octet comes out once, in order; ids go on from that of the STARTTLS command.
 */
import { CommandFramer, type FramedUnit } from '../../wire/framing.ts'
import type { Command, Content, Reply } from '../../wire/units.ts'
import { LeadingRecords, type TlsRecord } from './tls-records.ts'

export interface ClearUnits {
  /** They came before the units. */
  readonly records: readonly TlsRecord[]
  readonly units: readonly (Command | Content)[]
}

export class ClearCommands {
  private readonly records = new LeadingRecords()
  private readonly framer = new CommandFramer()
  private lastId: number
  /** The command whose reply decides what comes next: DATA or AUTH. */
  private awaited = 0

  /** `lastId`: the id of the STARTTLS command. */
  constructor(lastId: number) {
    this.lastId = lastId
  }

  push(bytes: Buffer): ClearUnits {
    const { records, text } = this.records.push(bytes)
    this.framer.push(text)
    return { records, units: this.framed() }
  }

  /** A reply goes out to the client: what it lets through. */
  settle(reply: Reply): readonly (Command | Content)[] {
    if (reply.id !== this.awaited || !this.framer.waiting) return []
    this.framer.settle(reply.code)
    return this.framed()
  }

  private framed(): (Command | Content)[] {
    const units: (Command | Content)[] = []
    for (let unit = this.framer.next(); unit !== undefined; unit = this.framer.next()) units.push(this.unitOf(unit))
    return units
  }

  private unitOf(unit: FramedUnit): Command | Content {
    if (unit.type === 'content') return { ...unit, id: this.lastId, secured: false }
    this.lastId += 1
    this.awaited = this.lastId
    if (unit.type === 'command') return { ...unit, id: this.lastId, secured: false }
    return { type: 'command', id: this.lastId, verb: '', argument: '', bytes: unit.bytes, secured: false }
  }
}
