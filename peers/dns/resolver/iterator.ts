/**
 * Finds the name servers of a name from the root down (RFC 1034 §5.3.3), and has one of them answer. Delegations are
 * remembered as long as their records say; answers are not.
 */
import { type Message, type Question, queryFor, type ResourceRecord } from '../message.ts'
import { canonical, countLabels, isWithin, type Name, parentOf, ROOT } from '../name.ts'
import { RCODE, TYPE } from '../numbers.ts'
import { fieldsOf } from '../rdata.ts'
import type { Upstream } from './upstream.ts'

/** A zone and where its name servers are. */
interface Delegation {
  readonly zone: Name
  readonly addresses: readonly string[]
  /** When it is forgotten, milliseconds. */
  readonly until: number
}

/** What came of a question: an answer and who gave it, or why there is none. */
export type Answered =
  | { readonly response: Message; readonly from: string; readonly others: number }
  | { readonly failure: 'timeout' | 'error' }

export interface IteratorOptions {
  readonly upstream: Upstream
  /** Addresses of the root's name servers. */
  readonly hints: () => readonly string[]
  /** Milliseconds, monotonic. */
  readonly now: () => number
}

/** Every name server of a zone is asked twice, and those that are silent once more without EDNS (RFC 6891 §6.2.5). */
const ROUNDS = [true, true, false]
/** Referrals followed, and name servers' own names looked up, for one question. */
const MOST_STEPS = 32
const DEEPEST = 4

export class Iterator {
  private readonly options: IteratorOptions
  private readonly known = new Map<Name, Delegation>()
  /** Servers that let the last query go unanswered: they are asked last. */
  private readonly silent = new Set<string>()

  constructor(options: IteratorOptions) {
    this.options = options
  }

  /** What lies at and below `apex` may have changed. */
  forget(apex: Name): void {
    for (const zone of this.known.keys()) if (isWithin(zone, apex)) this.known.delete(zone)
    this.silent.clear()
  }

  /**
   * Asks, and goes on asking where an answer refers to. @param avoid addresses that are not to answer this question.
   */
  async resolve(question: Question, avoid: ReadonlySet<string> = new Set(), depth = 0): Promise<Answered> {
    // The DS of a zone is its parent's (RFC 4035 §4.2).
    const start = canonical(question.type === TYPE.DS ? parentOf(question.name) : question.name)
    let at = this.nearest(start)
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const answered = await this.ask(question, at, start, avoid)
      if ('failure' in answered) return answered
      const referral = referralOf(answered.response, at.zone, start)
      if (referral === undefined) return answered
      const addresses = await this.addressesOf(referral, answered.response, depth)
      if (addresses.length === 0) return { failure: 'error' }
      const ttl = Math.min(...referral.map((each) => each.ttl))
      at = { zone: canonical(referral[0]?.name ?? ROOT), addresses, until: this.options.now() + ttl * 1000 }
      this.known.set(at.zone, at)
    }
    return { failure: 'error' }
  }

  /** Every server in turn, until one gives an answer that can be used. */
  private async ask(
    { name, type }: Question,
    { zone, addresses }: Delegation,
    start: Name,
    avoid: ReadonlySet<string>,
  ): Promise<Answered> {
    let failure: 'timeout' | 'error' = 'timeout'
    const usable = addresses
      .filter((address) => !avoid.has(address))
      .sort((a, b) => Number(this.silent.has(a)) - Number(this.silent.has(b)))
    const lame = new Set<string>()
    for (const edns of ROUNDS) {
      for (const address of usable) {
        if (lame.has(address)) continue
        const query = queryFor(name, type, edns ? { edns: { do: true }, cd: true } : {})
        const response = await this.options.upstream.ask(query, address)
        if (response === undefined) {
          this.silent.add(address)
          continue
        }
        this.silent.delete(address)
        if (isUsable(response, zone, start)) return { response, from: address, others: usable.length - 1 }
        failure = 'error'
        lame.add(address)
      }
    }
    return { failure }
  }

  private nearest(start: Name): Delegation {
    for (let zone = start; zone !== ROOT; zone = parentOf(zone)) {
      const known = this.known.get(zone)
      if (known !== undefined && known.until > this.options.now()) return known
    }
    return { zone: ROOT, addresses: this.options.hints(), until: 0 }
  }

  /** Glue, or else what the names of the servers resolve to. */
  private async addressesOf(
    servers: readonly ResourceRecord[],
    { additionals }: Message,
    depth: number,
  ): Promise<readonly string[]> {
    const hosts = servers.map(({ data }) => canonical(fieldsOf('NS', data).host))
    const glue = addressesIn(additionals.filter(({ name }) => hosts.includes(canonical(name))))
    if (glue.length > 0 || depth >= DEEPEST) return glue
    for (const host of hosts) {
      const found = await Promise.all(
        [TYPE.A, TYPE.AAAA].map((type) => this.resolve({ name: host, type, class: 1 }, new Set(), depth + 1)),
      )
      const addresses = found.flatMap((each) => ('response' in each ? addressesIn(each.response.answers) : []))
      if (addresses.length > 0) return addresses
    }
    return []
  }
}

function addressesIn(records: readonly ResourceRecord[]): readonly string[] {
  return records.flatMap(({ type, data }) => {
    if (type === TYPE.A) return [fieldsOf('A', data).address]
    return type === TYPE.AAAA ? [fieldsOf('AAAA', data).address] : []
  })
}

/** The NS records of a referral from `zone` down towards `start`. */
function referralOf({ aa, answers, authorities, rcode }: Message, zone: Name, start: Name) {
  if (aa || answers.length > 0 || rcode !== RCODE.NOERROR) return undefined
  const servers = authorities.filter(({ type }) => type === TYPE.NS)
  const owner = canonical(servers[0]?.name ?? ROOT)
  const isDown = countLabels(owner) > countLabels(zone) && isWithin(owner, zone) && isWithin(start, owner)
  return isDown ? servers.filter(({ name }) => canonical(name) === owner) : undefined
}

/** An answer, a denial or a referral downwards; not what lame servers say. */
function isUsable(response: Message, zone: Name, start: Name): boolean {
  const { rcode, aa, answers } = response
  if (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN) return false
  return aa || answers.length > 0 || rcode === RCODE.NXDOMAIN || referralOf(response, zone, start) !== undefined
}
