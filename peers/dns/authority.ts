/**
 * The name servers of an internet: takes the octets of a query at one of their addresses, and answers as the zones
 * there say, or as their faults do. Knows no socket; the driver of {@link openDnsPort} and the resolver in process both
 * call {@link Authority.receive}.
 *
 * What always holds: every query and every answer is in the log; a fault's `fired` is written when its answer leaves
 * (for a dropped query: when it would have been answered), that of a set that proves itself when a sound answer has left;
 * after `close` nothing is answered any more.
 */
import type { EventSink, ProofEvent, SocketAddress } from '../events.ts'
import { answer } from './answer.ts'
import type { ArmedFault } from './armed-fault.ts'
import type { Exchange, FaultyAnswer } from './fault.ts'
import type { Internet } from './internet.ts'
import { dnsEvent } from './log.ts'
import { decodeMessage, encodeMessage, type Message, type Question } from './message.ts'
import { DnsFormatError } from './name.ts'
import { RCODE, TYPE, typeText } from './numbers.ts'
import { isAskedFor, type ProvenSet, toldOf } from './proven-set.ts'
import type { ServedZone } from './served-zone.ts'
import type { Reply, Transport } from './sockets.ts'
import type { NameServer } from './zone.ts'

export interface AuthorityOptions {
  readonly internet: Internet
  readonly log: EventSink | undefined
  /** Milliseconds since the run began. */
  readonly now: () => number
  /** Delays are divided by it. */
  readonly timeScale: number
}

/** One query at one of the addresses, and the way back. */
interface Visit {
  readonly at: 'authority' | 'middlebox'
  readonly local: SocketAddress
  readonly from: SocketAddress
  readonly transport: Transport
  readonly cell: string | undefined
  readonly reply: Reply
  /** What its answer may be kept by. */
  readonly keep?: string
}

/** A fault, and the zone that it was put into. */
interface Candidate {
  readonly armed: ArmedFault
  readonly own: ServedZone
}

/** What a UDP answer may have at most, whatever the client says that it takes (DNS flag day 2020), in octets. */
const LONGEST_UDP = 1232
/** RFC 1035 §4.2.1, for clients without EDNS. */
const PLAIN_UDP = 512
/** Answers kept before they are forgotten, all at once. */
const MOST_KEPT = 20_000

export class Authority {
  private readonly options: AuthorityOptions
  private readonly unwatch: () => void
  private readonly timers = new Set<NodeJS.Timeout>()
  /** Answers that no fault had a say in, by address, transport and the octets of the query behind its id. */
  private readonly kept = new Map<string, { readonly octets: Buffer; readonly cell: string | undefined }>()
  private isOpen = true

  constructor(options: AuthorityOptions) {
    this.options = options
    const { internet } = options
    for (const each of internet.zones) this.announce(each)
    this.unwatch = internet.watch((each) => {
      this.kept.clear()
      this.announce(each)
    })
  }

  close(): void {
    this.isOpen = false
    this.unwatch()
    for (const timer of this.timers) clearTimeout(timer)
  }

  receive(octets: Buffer, local: SocketAddress, from: SocketAddress, transport: Transport, reply: Reply): void {
    if (!this.isOpen) return
    const { internet } = this.options
    const key = `${transport} ${local.address} ${octets.toString('latin1', 2)}`
    const kept = this.kept.get(key)
    if (kept !== undefined) {
      this.repeat(kept, octets, { at: 'authority', local, from, transport, cell: kept.cell, reply })
      return
    }
    const query = readQuery(octets)
    const question = query instanceof DnsFormatError ? undefined : query?.questions[0]
    const zone = question === undefined ? undefined : internet.zoneFor(question, local.address)
    const box = zone?.servers.find(({ middlebox }) => middlebox === local.address)
    const cell = question === undefined ? undefined : internet.zoneFor(question)?.zone.cell
    const visit: Visit = { at: box === undefined ? 'authority' : 'middlebox', local, from, transport, cell, reply }
    this.cross(visit, 'in', octets)
    if (query === undefined) return
    if (query instanceof DnsFormatError) this.send(visit, formatError(octets))
    else if (question === undefined || zone === undefined)
      this.send(visit, encodeMessage(answer(query, () => undefined)))
    else this.answer(query, question, zone, box, { ...visit, keep: key })
  }

  private answer(
    query: Message,
    question: Question,
    zone: ServedZone,
    box: NameServer | undefined,
    visit: Visit,
  ): void {
    for (const set of zone.zone.prove)
      if (isAskedFor(set, question)) this.proveSet('opportunity', zone, set, wordsFor(question, visit.transport))
    if (box === undefined) this.serve(query, question, zone, visit)
    else this.pass(query, question, zone, box, visit)
  }

  /** The same query again: the same answer, under its own id. */
  private repeat({ octets }: { readonly octets: Buffer }, query: Buffer, visit: Visit): void {
    this.cross(visit, 'in', query)
    const data = Buffer.from(octets)
    query.copy(data, 0, 0, 2)
    this.send(visit, data)
  }

  /** A name server answers. */
  private serve(query: Message, question: Question, zone: ServedZone, visit: Visit): void {
    const { local, transport } = visit
    const server = zone.servers.find(({ address }) => address === local.address)
    let made: Message | undefined
    const sound = (asked = query): Message => {
      if (asked !== query) return answer(asked, () => zone)
      made ??= answer(query, () => zone)
      return made
    }
    const candidates = this.candidates(zone, question).filter(({ armed }) => armed.item.at !== 'middlebox')
    if (this.hasFired(candidates, { query, question, transport, zone, answer: sound }, server, visit)) return
    const octets = encodeMessage(sound(), limitOf(query, transport))
    const isPlain = candidates.length === 0 && zone.zone.prove.length === 0
    if (isPlain && visit.keep !== undefined) this.keep(visit.keep, octets, visit.cell)
    this.sendSound(visit, zone, octets)
  }

  private keep(key: string, octets: Buffer, cell: string | undefined): void {
    if (this.kept.size >= MOST_KEPT) this.kept.clear()
    this.kept.set(key, { octets, cell })
  }

  /** A box lets a query through to the name server behind it, and its answer back, or does what it is there for. */
  private pass(query: Message, question: Question, zone: ServedZone, box: NameServer, visit: Visit): void {
    const { transport, cell, local } = visit
    const behind = { at: 'authority', local: { ...local, address: box.address }, from: local, transport, cell } as const
    let made: Message | undefined
    const sound = (asked = query): Message => {
      if (asked === query && made !== undefined) return made
      this.cross(behind, 'in', encodeMessage(asked))
      const message = answer(asked, () => zone)
      this.cross(behind, 'out', encodeMessage(message, limitOf(asked, transport)))
      if (asked === query) made = message
      return message
    }
    const candidates = zone.faults.flatMap((armed) => (armed.item.at === 'middlebox' ? [{ armed, own: zone }] : []))
    if (this.hasFired(candidates, { query, question, transport, zone, answer: sound }, box, visit)) return
    if (made !== undefined) {
      this.sendSound(visit, zone, encodeMessage(made, limitOf(query, transport)))
      return
    }
    this.cross(behind, 'in', encodeMessage(query))
    this.serve(query, question, zone, { ...behind, reply: (what) => this.send(visit, what) })
  }

  /** The faults of a zone, and those of the zone below that the question is about, where it is the parent that lies. */
  private candidates(zone: ServedZone, { name }: Question): readonly Candidate[] {
    const nearest = this.options.internet.zoneFor({ name, type: TYPE.SOA })
    const below = nearest === undefined ? undefined : zone.child(nearest.apex)
    return [
      ...zone.faults.filter(({ fault }) => fault.side === undefined).map((armed) => ({ armed, own: zone })),
      ...(below?.faults.filter(({ fault }) => fault.side === 'parent').map((armed) => ({ armed, own: below })) ?? []),
    ]
  }

  /** The first fault that has its chance does its thing. */
  private hasFired(
    candidates: readonly Candidate[],
    exchange: Omit<Exchange, 'own'>,
    server: NameServer | undefined,
    visit: Visit,
  ): boolean {
    const { query, question, transport } = exchange
    for (const { armed, own } of candidates) {
      if (!armed.matches(question, server?.name ?? '', transport)) continue
      const faulty = armed.fault.respond({ ...exchange, own }, armed.parameters)
      if (faulty === undefined) continue
      this.prove('opportunity', own, armed, wordsFor(question, transport))
      this.fire({ armed, own }, faulty, query, visit)
      return true
    }
    return false
  }

  private fire({ armed, own }: Candidate, faulty: FaultyAnswer, query: Message, visit: Visit): void {
    const leave = (): void => {
      this.prove('fired', own, armed, faulty.detail)
      if (faulty.send === 'close') visit.reply('close')
      else if (faulty.send !== 'nothing')
        this.send(
          visit,
          Buffer.isBuffer(faulty.send) ? faulty.send : encodeMessage(faulty.send, limitOf(query, visit.transport)),
        )
    }
    const delay = (armed.item.delayMs ?? 0) / this.options.timeScale
    if (delay === 0) {
      leave()
      return
    }
    const timer = setTimeout(() => {
      this.timers.delete(timer)
      leave()
    }, delay)
    this.timers.add(timer)
  }

  private send(visit: Visit, what: Buffer | 'close'): void {
    if (what !== 'close') this.cross(visit, 'out', what)
    visit.reply(what)
  }

  private sendSound(visit: Visit, zone: ServedZone, octets: Buffer): void {
    this.send(visit, octets)
    for (const set of zone.zone.prove) {
      const told = toldOf(set, zone, octets)
      if (told !== undefined) this.proveSet('fired', zone, set, told)
    }
  }

  private cross(
    { at, local, from, transport, cell }: Omit<Visit, 'reply'>,
    direction: 'in' | 'out',
    data: Buffer,
  ): void {
    const { log, now } = this.options
    if (log !== undefined) log(dnsEvent({ at, direction, local, peer: from, transport, data, cell, t: now() }))
  }

  private announce(zone: ServedZone): void {
    for (const armed of zone.faults) {
      const { name, types } = armed.item
      this.prove('armed', zone, armed, `${name ?? 'every name'} of ${zone.apex}, ${types?.join(', ') ?? 'every type'}`)
    }
    for (const set of zone.zone.prove) this.proveSet('armed', zone, set, `in the zone ${zone.apex}`)
  }

  private prove(type: ProofEvent['type'], zone: ServedZone, { fault, item }: ArmedFault, detail: string): void {
    this.record(zone, { type, behaviour: `dns:${fault.id}`, host: item.name ?? '*', detail })
  }

  /** All sets of a cell stand together: the proof is whole when each of them was told. */
  private proveSet(type: ProofEvent['type'], zone: ServedZone, { written }: ProvenSet, detail: string): void {
    this.record(zone, { type, behaviour: `record:${written}`, host: '*', detail })
  }

  private record(
    { zone: { cell } }: ServedZone,
    proof: Pick<ProofEvent, 'type' | 'behaviour' | 'host' | 'detail'>,
  ): void {
    const { log, now } = this.options
    log?.({ ...proof, t: now(), ...(cell === undefined ? {} : { cell }) })
  }
}

/** The largest answer that may leave for this query. */
export function limitOf(query: Message, transport: Transport): number {
  if (transport === 'tcp') return 0xffff
  return Math.min(Math.max(query.edns?.udpSize ?? PLAIN_UDP, PLAIN_UDP), LONGEST_UDP)
}

/**
 * A query; why it cannot be read; nothing for what must not be answered: responses, and what is shorter than a header.
 */
export function readQuery(octets: Buffer): Message | DnsFormatError | undefined {
  if (octets.length < 12 || (octets.readUInt8(2) & 0x80) !== 0) return undefined
  try {
    return decodeMessage(octets)
  } catch (error) {
    if (error instanceof DnsFormatError) return error
    throw error
  }
}

/**
 * FORMERR for octets that have a header and are no query: id, opcode and RD of it, and no sections (RFC 1035 §4.1.1).
 */
export function formatError(octets: Buffer): Buffer {
  const header = Buffer.alloc(12)
  octets.copy(header, 0, 0, 4)
  header.writeUInt8((header.readUInt8(2) & 0x79) | 0x80, 2)
  header.writeUInt8(RCODE.FORMERR, 3)
  return header
}

function wordsFor({ name, type }: Question, transport: Transport): string {
  return `${name} ${typeText(type)} over ${transport.toUpperCase()}`
}
