/**
 * The resolver that the client under test asks: recursive and validating, from the root and its trust anchor down. It
 * knows nothing of what a zone was meant to be; what it says it has from name servers, and has checked.
 *
 * Answers are not kept (a scenario's phase is to be seen at once); delegations and the standing of zones are, as long
 * as their records say. Every query of a client and every answer to it is in the log at `stub`, what it asks at
 * `resolver`.
 */
import type { EventSink, SocketAddress } from '../../events.ts'
import { formatError, limitOf, readQuery } from '../authority.ts'
import type { Internet } from '../internet.ts'
import { dnsEvent } from '../log.ts'
import {
  encodeMessage,
  extendedError,
  type Message,
  type Question,
  questionOf,
  type ResourceRecord,
  responseTo,
} from '../message.ts'
import { canonical, DnsFormatError, isWithin, type Name } from '../name.ts'
import { CLASS, EDE, OPCODE, RCODE, TYPE } from '../numbers.ts'
import { fieldsOf } from '../rdata.ts'
import type { Reply, Transport } from '../sockets.ts'
import { Iterator } from './iterator.ts'
import { Trust } from './trust.ts'
import { type Send, Upstream } from './upstream.ts'
import { Validator, type Verdict, worst } from './validator.ts'

export interface ResolverOptions {
  /** Only for which cell a query belongs to. */
  readonly internet: Internet
  readonly send: Send
  /** Addresses of the root's name servers. */
  readonly hints: () => readonly string[]
  /** The DS data of the root's key. */
  readonly anchor: () => Buffer | undefined
  readonly log: EventSink | undefined
  /** Milliseconds since the run began. */
  readonly now: () => number
  /** Seconds since 1970: signatures are checked against it. */
  readonly seconds: () => number
  /** Time limits are divided by it. */
  readonly timeScale: number
}

/**
 * Milliseconds that one name server has for one answer. It is asked three times: a zone whose only server is silent
 * fails before the 5 s after which stubs ask again.
 */
const PATIENCE_MS = 1_000
/** Aliases followed for one question. */
const MOST_ALIASES = 12

/** What became of a question. */
interface Resolution {
  readonly rcode: number
  readonly answers: readonly ResourceRecord[]
  readonly authorities: readonly ResourceRecord[]
  readonly verdict: Verdict
  readonly ede?: number
}

export class Resolver {
  private readonly options: ResolverOptions
  private readonly upstream: Upstream
  private readonly iterator: Iterator
  private readonly trust: Trust
  private readonly validator: Validator
  private isOpen = true

  constructor(options: ResolverOptions) {
    this.options = options
    const { send, timeScale, hints, anchor, now, seconds } = options
    this.upstream = new Upstream({
      send,
      patienceMs: PATIENCE_MS / timeScale,
      seen: (direction, server, transport, data) => this.cross('resolver', direction, HERE, server, transport, data),
    })
    this.iterator = new Iterator({ upstream: this.upstream, hints, now })
    this.trust = new Trust({ iterator: this.iterator, anchor, now, seconds })
    this.validator = new Validator(this.trust, seconds)
  }

  close(): void {
    this.isOpen = false
    this.upstream.close()
  }

  /** A zone was replaced: nothing that was learnt of it need be so any more. @param apex in lower case. */
  forget(apex: Name): void {
    this.iterator.forget(apex)
    this.trust.forget(apex)
  }

  receive(octets: Buffer, local: SocketAddress, from: SocketAddress, transport: Transport, reply: Reply): void {
    if (!this.isOpen) return
    this.cross('stub', 'in', local, from, transport, octets)
    const query = readQuery(octets)
    if (query === undefined) return
    const send = (data: Buffer): void => {
      if (!this.isOpen) return
      this.cross('stub', 'out', local, from, transport, data)
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
    const { rcode, answers, authorities, verdict, ede } = await this.resolve(question, query.cd)
    const wanted = query.edns?.do === true ? () => true : ({ type }: ResourceRecord) => isPlain(type, question.type)
    const response = {
      ...responseTo(query, rcode),
      ra: true,
      // RFC 6840 §5.7: a client that sets AD understands it.
      ad: verdict.status === 'secure' && !query.cd && (query.edns?.do === true || query.ad),
      answers: answers.filter(wanted),
      authorities: authorities.filter(wanted),
    }
    if (ede === undefined || response.edns === undefined) return response
    return { ...response, edns: { ...response.edns, options: [extendedError(ede)] } }
  }

  /** Follows aliases; each step is asked for and checked by itself. */
  private async resolve(question: Question, unchecked: boolean): Promise<Resolution> {
    const answers: ResourceRecord[] = []
    const verdicts: Verdict[] = []
    const seen = new Set<Name>()
    for (let { name } = question; ; ) {
      if (seen.has(canonical(name)) || seen.size > MOST_ALIASES) return failed(EDE.OTHER)
      seen.add(canonical(name))
      const step = await this.step({ ...question, name }, unchecked)
      if ('ede' in step) return failed(step.ede)
      answers.push(...step.own)
      verdicts.push(step.verdict)
      if (step.target === undefined) {
        const { authorities } = step.response
        const rcode = ('rcode' in step.verdict ? step.verdict.rcode : undefined) ?? step.response.rcode
        return {
          rcode,
          answers,
          authorities: step.own.length > 0 ? proofsIn(authorities) : authorities,
          verdict: worst(verdicts),
        }
      }
      name = step.target
    }
  }

  /** One name: another server is asked where what the first said does not hold. */
  private async step(question: Question, unchecked: boolean): Promise<Step | { readonly ede: number }> {
    const avoid = new Set<string>()
    let why: number | undefined
    for (;;) {
      const answered = await this.iterator.resolve(question, avoid)
      if ('failure' in answered)
        return { ede: why ?? (answered.failure === 'timeout' ? EDE.NO_REACHABLE_AUTHORITY : EDE.NETWORK_ERROR) }
      const { response, from, others } = answered
      const own = ownRecords(question, response.answers)
      const target = aliasTarget(question, own)
      // Nobody signs signatures.
      if (unchecked || question.type === TYPE.RRSIG) return { response, own, target, verdict: { status: 'insecure' } }
      const verdict = await this.validator.judge(question, response, own)
      if (verdict.status !== 'bogus') return { response, own, target, verdict }
      why = verdict.ede
      if (others === 0) return { ede: why }
      avoid.add(from)
    }
  }

  private cross(
    at: 'stub' | 'resolver',
    direction: 'in' | 'out',
    local: SocketAddress,
    peer: SocketAddress,
    transport: Transport,
    data: Buffer,
  ): void {
    const { internet, log, now } = this.options
    if (log === undefined) return
    const question = questionOf(data)
    const cell = question === undefined ? undefined : internet.zoneFor(question)?.zone.cell
    log(dnsEvent({ at, direction, local, peer, transport, data, cell, t: now() }))
  }
}

/** Where the resolver asks from; without a socket it has no port. */
const HERE: SocketAddress = { address: '127.0.0.1', port: 0 }

interface Step {
  readonly response: Message
  readonly own: readonly ResourceRecord[]
  readonly target: Name | undefined
  readonly verdict: Verdict
}

function failed(ede: number): Resolution {
  return { rcode: RCODE.SERVFAIL, answers: [], authorities: [], verdict: { status: 'insecure' }, ede }
}

/** What is refused without asking anybody. */
function refusal({ opcode, questions, edns }: Message): number | undefined {
  if (opcode !== OPCODE.QUERY) return RCODE.NOTIMP
  if (questions.length !== 1) return RCODE.FORMERR
  if ((edns?.version ?? 0) > 0) return RCODE.BADVERS
  return questions[0]?.class === CLASS.IN ? undefined : RCODE.REFUSED
}

/** The records for the question's own name, and a DNAME above it; a server's idea of what follows is asked for anew. */
function ownRecords({ name }: Question, answers: readonly ResourceRecord[]): readonly ResourceRecord[] {
  const own = canonical(name)
  return answers.filter((each) => {
    const owner = canonical(each.name)
    return owner === own || (isDname(each) && isWithin(own, owner))
  })
}

function isDname({ type, data }: ResourceRecord): boolean {
  return type === TYPE.DNAME || (type === TYPE.RRSIG && fieldsOf('RRSIG', data).typeCovered === TYPE.DNAME)
}

/** Where an alias leads that is all there is for the name. */
function aliasTarget({ name, type }: Question, own: readonly ResourceRecord[]): Name | undefined {
  if (type === TYPE.CNAME || type === TYPE.ANY) return undefined
  const here = own.filter((each) => canonical(each.name) === canonical(name))
  if (here.some((each) => each.type === type)) return undefined
  const alias = here.find((each) => each.type === TYPE.CNAME)
  return alias && fieldsOf('CNAME', alias.data).target
}

/** DNSSEC's records only for those who ask for them (RFC 4035 §3.2.1). */
function isPlain(type: number, asked: number): boolean {
  return type === asked || (type !== TYPE.RRSIG && type !== TYPE.NSEC && type !== TYPE.NSEC3)
}

function proofsIn(authorities: readonly ResourceRecord[]): readonly ResourceRecord[] {
  return authorities.filter(({ type }) => type === TYPE.NSEC || type === TYPE.NSEC3 || type === TYPE.RRSIG)
}
