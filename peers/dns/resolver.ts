/**
 * The resolver that the client under test asks: recursive, without a cache, in process with the name servers.
 *
 * It knows from the internet which name server has a zone; it asks it as a resolver does, by octets, with time limits and
 * over TCP where an answer was truncated. Every query of a client and every answer to it is in the log, at `stub`.
 */
import type { EventSink, SocketAddress } from '../events.ts'
import { type Authority, formatError, limitOf, readQuery } from './authority.ts'
import type { Internet } from './internet.ts'
import { dnsEvent } from './log.ts'
import {
  decodeMessage,
  encodeMessage,
  extendedError,
  type Message,
  type Question,
  queryFor,
  type ResourceRecord,
  responseTo,
} from './message.ts'
import { canonical, DnsFormatError, type Name } from './name.ts'
import { CLASS, EDE, OPCODE, RCODE, TYPE } from './numbers.ts'
import { fieldsOf } from './rdata.ts'
import type { Reply, Transport } from './sockets.ts'

export interface ResolverOptions {
  readonly internet: Internet
  readonly authority: Authority
  readonly log: EventSink
  /** Milliseconds since the run began. */
  readonly now: () => number
  /** Time limits are divided by it. */
  readonly timeScale: number
}

/** Milliseconds that one name server has for one answer; less in sum than the 5 s after which stubs ask again. */
const PATIENCE_MS = 1_000
/** How often every name server of a zone is asked. */
const ROUNDS = 2
/** Aliases followed for one question. */
const MOST_ALIASES = 12
/** Where queries in process come from: no socket has port 0. */
const IN_PROCESS: SocketAddress = { address: '127.0.0.1', port: 0 }

/** What became of a question. */
interface Resolution {
  readonly rcode: number
  readonly answers: readonly ResourceRecord[]
  readonly authorities: readonly ResourceRecord[]
  readonly ede?: number
}

export class Resolver {
  private readonly options: ResolverOptions
  /** Ends each wait for a name server. */
  private readonly waits = new Set<() => void>()
  private isOpen = true
  private lastId = 0

  constructor(options: ResolverOptions) {
    this.options = options
  }

  close(): void {
    this.isOpen = false
    for (const end of this.waits) end()
  }

  receive(octets: Buffer, local: SocketAddress, from: SocketAddress, transport: Transport, reply: Reply): void {
    if (!this.isOpen) return
    const { internet, log, now } = this.options
    const query = readQuery(octets)
    const question = query instanceof DnsFormatError ? undefined : query?.questions[0]
    const cell = question === undefined ? undefined : internet.zoneFor(question)?.zone.cell
    const cross = (direction: 'in' | 'out', data: Buffer): void =>
      log(dnsEvent({ at: 'stub', direction, local, peer: from, transport, data, cell, t: now() }))
    cross('in', octets)
    if (query === undefined) return
    const send = (data: Buffer): void => {
      if (!this.isOpen) return
      cross('out', data)
      reply(data)
    }
    if (query instanceof DnsFormatError) send(formatError(octets))
    else void this.answer(query).then((message) => send(encodeMessage(message, limitOf(query, transport))))
  }

  /** The answer for a client's query. */
  private async answer(query: Message): Promise<Message> {
    const [question] = query.questions
    const refused = refusal(query)
    if (refused !== undefined || question === undefined)
      return { ...responseTo(query, refused ?? RCODE.FORMERR), ra: true }
    const { rcode, answers, authorities, ede } = await this.resolve(question, query.edns?.do === true)
    const response = { ...responseTo(query, rcode), ra: true, answers, authorities }
    if (ede === undefined || response.edns === undefined) return response
    return { ...response, edns: { ...response.edns, options: [extendedError(ede)] } }
  }

  private async resolve(question: Question, dnssecOk: boolean): Promise<Resolution> {
    const answers: ResourceRecord[] = []
    const seen = new Set<Name>()
    for (let { name } = question; ; ) {
      if (seen.has(canonical(name)) || seen.size > MOST_ALIASES)
        return { rcode: RCODE.SERVFAIL, answers: [], authorities: [], ede: EDE.OTHER }
      seen.add(canonical(name))
      const response = await this.ask({ ...question, name }, dnssecOk)
      if ('ede' in response) return response
      answers.push(...response.answers)
      const target = aliasTarget(name, question.type, response.answers)
      if (target === undefined) return { rcode: response.rcode, answers, authorities: response.authorities }
      name = target
    }
  }

  /** Asks the name servers of the nearest zone in turn, until one gives an answer that can be used. */
  private async ask(question: Question, dnssecOk: boolean): Promise<Message | (Resolution & { readonly ede: number })> {
    let ede: number = EDE.NO_REACHABLE_AUTHORITY
    const servers = this.options.internet.zoneFor(question)?.servers ?? []
    for (let round = 0; round < ROUNDS; round++) {
      for (const { address } of servers) {
        const query = { ...queryFor(question.name, question.type, { edns: { do: dnssecOk } }), id: this.nextId() }
        const first = await this.exchange(query, address, 'udp')
        const response = first?.tc === true ? await this.exchange(query, address, 'tcp') : first
        if (response !== undefined && (response.rcode === RCODE.NOERROR || response.rcode === RCODE.NXDOMAIN))
          return response
        if (response !== undefined) ede = EDE.NETWORK_ERROR
      }
    }
    return { rcode: RCODE.SERVFAIL, answers: [], authorities: [], ede }
  }

  /** One query and what came back for it within the time limit; nothing for octets that are no answer to it. */
  private async exchange(query: Message, address: string, transport: Transport): Promise<Message | undefined> {
    const octets = await new Promise<Buffer | undefined>((resolve) => {
      const end = (data?: Buffer): void => {
        clearTimeout(timer)
        this.waits.delete(end)
        resolve(data)
      }
      const timer = setTimeout(end, PATIENCE_MS / this.options.timeScale)
      this.waits.add(end)
      const local = { address, port: 0 }
      this.options.authority.receive(encodeMessage(query), local, IN_PROCESS, transport, (what) =>
        end(what === 'close' ? undefined : what),
      )
    })
    return octets === undefined ? undefined : readResponse(octets, query)
  }

  private nextId(): number {
    this.lastId = (this.lastId + 1) & 0xffff
    return this.lastId
  }
}

/** What is refused without asking anybody. */
function refusal({ opcode, questions, edns }: Message): number | undefined {
  if (opcode !== OPCODE.QUERY) return RCODE.NOTIMP
  if (questions.length !== 1) return RCODE.FORMERR
  if ((edns?.version ?? 0) > 0) return RCODE.BADVERS
  return questions[0]?.class === CLASS.IN ? undefined : RCODE.REFUSED
}

function readResponse(octets: Buffer, query: Message): Message | undefined {
  try {
    const response = decodeMessage(octets)
    const [asked, answered] = [query.questions[0], response.questions[0]]
    const isAnswer =
      response.qr &&
      response.id === query.id &&
      asked?.type === answered?.type &&
      canonical(asked?.name ?? '') === canonical(answered?.name ?? '')
    return isAnswer ? response : undefined
  } catch (error) {
    if (error instanceof DnsFormatError) return undefined
    throw error
  }
}

/** Where the aliases in `answers` lead from `name`, if they end without data of `type`. */
function aliasTarget(name: Name, type: number, answers: readonly ResourceRecord[]): Name | undefined {
  if (type === TYPE.CNAME || type === TYPE.ANY) return undefined
  const targets = new Map(
    answers
      .filter((each) => each.type === TYPE.CNAME)
      .map((each) => [canonical(each.name), fieldsOf('CNAME', each.data).target]),
  )
  let end = name
  for (let steps = 0; steps <= targets.size && targets.has(canonical(end)); steps++)
    end = targets.get(canonical(end)) ?? end
  if (end === name || answers.some((each) => each.type === type && canonical(each.name) === canonical(end)))
    return undefined
  return end
}
