/**
 * The name servers of an internet: takes the octets of a query at one of their addresses, and answers as the zones there
 * say, or as their faults do. Knows no socket; the driver of {@link openDnsPort} and the resolver in process both call
 * {@link Authority.receive}.
 *
 * What always holds: every query and every answer is in the log; a fault's `fired` is written when its answer leaves (for
 * a dropped query: when it would have been answered); after `close` nothing is answered any more.
 */
import type { EventSink, ProofEvent, SocketAddress } from '../events.ts'
import { answer } from './answer.ts'
import type { ArmedFault } from './armed-fault.ts'
import type { FaultyAnswer } from './fault.ts'
import type { Internet } from './internet.ts'
import { dnsEvent } from './log.ts'
import { decodeMessage, encodeMessage, type Message, type Question } from './message.ts'
import { DnsFormatError } from './name.ts'
import { RCODE, typeText } from './numbers.ts'
import type { ServedZone } from './served-zone.ts'
import type { Reply, Transport } from './sockets.ts'

export interface AuthorityOptions {
  readonly internet: Internet
  readonly log: EventSink
  /** Milliseconds since the run began. */
  readonly now: () => number
  /** Delays are divided by it. */
  readonly timeScale: number
}

/** What a UDP answer may have at most, whatever the client says that it takes (DNS flag day 2020), in octets. */
const LONGEST_UDP = 1232
/** RFC 1035 §4.2.1, for clients without EDNS. */
const PLAIN_UDP = 512

export class Authority {
  private readonly options: AuthorityOptions
  private readonly unwatch: () => void
  private readonly timers = new Set<NodeJS.Timeout>()
  private isOpen = true

  constructor(options: AuthorityOptions) {
    this.options = options
    const { internet } = options
    for (const each of internet.zones) this.announce(each)
    this.unwatch = internet.watch((each) => this.announce(each))
  }

  close(): void {
    this.isOpen = false
    this.unwatch()
    for (const timer of this.timers) clearTimeout(timer)
  }

  receive(octets: Buffer, local: SocketAddress, from: SocketAddress, transport: Transport, reply: Reply): void {
    if (!this.isOpen) return
    const { internet, log, now } = this.options
    const query = readQuery(octets)
    const question = query instanceof DnsFormatError ? undefined : query?.questions[0]
    const cell = question === undefined ? undefined : internet.zoneFor(question)?.zone.cell
    const cross = (direction: 'in' | 'out', data: Buffer): void =>
      log(dnsEvent({ at: 'authority', direction, local, peer: from, transport, data, cell, t: now() }))
    cross('in', octets)
    const send: Reply = (what) => {
      if (what !== 'close') cross('out', what)
      reply(what)
    }
    if (query === undefined) return
    if (query instanceof DnsFormatError) send(formatError(octets))
    else this.respond(query, local, transport, send)
  }

  private respond(query: Message, local: SocketAddress, transport: Transport, send: Reply): void {
    const { internet } = this.options
    const [question] = query.questions
    const zone = question === undefined ? undefined : internet.zoneFor(question, local.address)
    let made: Message | undefined
    const sound = (): Message => {
      made ??= answer(query, () => zone)
      return made
    }
    if (question !== undefined && zone !== undefined) {
      const server = zone.servers.find(({ address }) => address === local.address)
      for (const armed of zone.faults) {
        if (!armed.matches(question, server?.name ?? '', transport)) continue
        const faulty = armed.fault.respond({ query, transport, zone, answer: sound }, armed.parameters)
        if (faulty === undefined) continue
        this.prove('opportunity', zone, armed, wordsFor(question, transport))
        this.fire(zone, armed, faulty, limitOf(query, transport), encodeMessage(sound()), send)
        return
      }
    }
    send(encodeMessage(sound(), limitOf(query, transport)))
  }

  private fire(
    zone: ServedZone,
    armed: ArmedFault,
    faulty: FaultyAnswer,
    limit: number,
    sound: Buffer,
    send: Reply,
  ): void {
    const leave = (): void => {
      this.prove('fired', zone, armed, faulty.detail, sound)
      if (faulty.send === 'close') send('close')
      else if (faulty.send !== 'nothing')
        send(Buffer.isBuffer(faulty.send) ? faulty.send : encodeMessage(faulty.send, limit))
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

  private announce(zone: ServedZone): void {
    for (const armed of zone.faults) {
      const { name, types } = armed.item
      this.prove('armed', zone, armed, `${name ?? 'every name'} of ${zone.apex}, ${types?.join(', ') ?? 'every type'}`)
    }
  }

  private prove(
    type: ProofEvent['type'],
    { zone }: ServedZone,
    armed: ArmedFault,
    detail: string,
    data?: Buffer,
  ): void {
    const { log, now } = this.options
    log({
      type,
      t: now(),
      ...(zone.cell === undefined ? {} : { cell: zone.cell }),
      behaviour: `dns:${armed.fault.id}`,
      host: armed.item.name ?? '*',
      detail,
      ...(data === undefined ? {} : { data }),
    })
  }
}

/** The largest answer that may leave for this query. */
export function limitOf(query: Message, transport: Transport): number {
  if (transport === 'tcp') return 0xffff
  return Math.min(Math.max(query.edns?.udpSize ?? PLAIN_UDP, PLAIN_UDP), LONGEST_UDP)
}

/** A query; why it cannot be read; nothing for what must not be answered: responses, and what is shorter than a header. */
export function readQuery(octets: Buffer): Message | DnsFormatError | undefined {
  if (octets.length < 12 || (octets.readUInt8(2) & 0x80) !== 0) return undefined
  try {
    return decodeMessage(octets)
  } catch (error) {
    if (error instanceof DnsFormatError) return error
    throw error
  }
}

/** FORMERR for octets that have a header and are no query: id, opcode and RD of it, and no sections (RFC 1035 §4.1.1). */
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
