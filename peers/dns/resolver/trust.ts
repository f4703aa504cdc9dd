/**
 * The chain of trust from the root's anchor down (RFC 4035 §5.2): of every zone on the way whether it is signed, with
 * which keys, or why that cannot be told. What was found is remembered as long as its records say.
 */
import { isSupported } from '../dnssec/algorithms.ts'
import { isDsOf } from '../dnssec/signer.ts'
import type { Message, Question } from '../message.ts'
import { canonical, countLabels, isWithin, lastLabels, type Name, ROOT } from '../name.ts'
import { CLASS, EDE, RCODE, TYPE } from '../numbers.ts'
import { fieldsOf } from '../rdata.ts'
import { DenialCheck } from './denial-check.ts'
import type { Iterator } from './iterator.ts'
import { checkSet, type SignedSet, setsOf, type TrustedZone } from './signed-set.ts'

/**
 * The zone that a name is in: trusted with its keys; known not to be signed; or of unknown standing, which is as bad as
 * forged.
 */
export type Standing = SecureZone | { readonly status: 'insecure' } | { readonly status: 'bogus'; readonly ede: number }

type SecureZone = { readonly status: 'secure' } & TrustedZone

export interface TrustOptions {
  readonly iterator: Iterator
  /** The DS data of the root's key. */
  readonly anchor: () => Buffer | undefined
  /** Milliseconds, monotonic. */
  readonly now: () => number
  /** Seconds since 1970: signatures are checked against it. */
  readonly seconds: () => number
}

interface Known {
  readonly standing: Promise<Standing>
  until: number
}

/** A denial holds as long as its SOA says; for how long a failure is remembered, milliseconds (RFC 4035 §4.7). */
const FAILURE_MS = 1_000

export class Trust {
  private readonly options: TrustOptions
  private readonly known = new Map<Name, Known>()

  constructor(options: TrustOptions) {
    this.options = options
  }

  /** What lies at and below `apex` may have changed. */
  forget(apex: Name): void {
    for (const name of this.known.keys()) if (isWithin(name, apex)) this.known.delete(name)
  }

  /** The standing of the zone that `name` is in: the deepest on the way to it, or the first that is not secure. */
  async of(name: Name): Promise<Standing> {
    let standing = await this.remembered(ROOT, () => this.root())
    const depth = countLabels(name)
    for (let labels = 1; labels <= depth && standing.status === 'secure'; labels++) {
      const above = standing
      const here = lastLabels(canonical(name), labels)
      standing = await this.remembered(here, () => this.below(above, here))
    }
    return standing
  }

  private remembered(name: Name, find: () => Promise<Found>): Promise<Standing> {
    const { now } = this.options
    const old = this.known.get(name)
    if (old !== undefined && old.until > now()) return old.standing
    const found = find()
    const fresh: Known = { standing: found.then(({ standing }) => standing), until: Number.POSITIVE_INFINITY }
    this.known.set(name, fresh)
    void found.then(({ standing, ttl }) => {
      fresh.until = now() + (standing.status === 'bogus' ? FAILURE_MS : ttl * 1000)
    })
    return fresh.standing
  }

  private async root(): Promise<Found> {
    const anchor = this.options.anchor()
    return anchor === undefined ? insecure(0) : this.keysOf(ROOT, [anchor])
  }

  /** One step down: the zone that begins at `name`, or still the one above. */
  private below(above: SecureZone, name: Name): Promise<Found> {
    return this.ask({ name, type: TYPE.DS, class: CLASS.IN }, async (response) => {
      const set = setsOf(response.answers).find(({ owner }) => owner === name)
      if (set === undefined || (set.type !== TYPE.DS && set.type !== TYPE.CNAME))
        return this.withoutDs(above, name, response)
      const checked = checkSet(set, above, this.options.seconds())
      if (!checked.holds) return bogus(checked.ede)
      // An alias is no cut.
      if (set.type === TYPE.CNAME) return { standing: above, ttl: ttlOf(set) }
      return this.keysOf(
        name,
        set.records.map(({ data }) => data),
      )
    })
  }

  /** Asks, and where what a server says does not hold, asks another. */
  private async ask(question: Question, judge: (response: Message) => Found | Promise<Found>): Promise<Found> {
    const avoid = new Set<string>()
    let found = bogus(EDE.NO_REACHABLE_AUTHORITY)
    for (;;) {
      const answered = await this.options.iterator.resolve(question, avoid)
      if ('failure' in answered) return found
      found = await judge(answered.response)
      if (found.standing.status !== 'bogus' || answered.others === 0) return found
      avoid.add(answered.from)
    }
  }

  private withoutDs(above: SecureZone, name: Name, response: Message): Found {
    const sets = setsOf(response.authorities).filter(({ type }) => type !== TYPE.NS)
    const denials = sets.filter(({ type }) => type === TYPE.NSEC || type === TYPE.NSEC3)
    if (denials.length === 0) return bogus(EDE.NSEC_MISSING)
    for (const set of sets) {
      const checked = checkSet(set, above, this.options.seconds())
      if (!checked.holds) return bogus(checked.ede)
    }
    const check = new DenialCheck(above.zone, denials)
    const ttl = Math.min(...denials.map(ttlOf))
    if (response.rcode === RCODE.NXDOMAIN) {
      const proven = check.noName(name)
      if (proven === 'insecure') return insecure(ttl)
      return proven === 'secure' ? { standing: above, ttl } : bogus(EDE.DNSSEC_BOGUS)
    }
    const said = check.noDs(name)
    if (said === 'bogus') return bogus(EDE.DNSSEC_BOGUS)
    return said === 'no-cut' ? { standing: above, ttl } : insecure(ttl)
  }

  /** The keys of a zone, by one of which its DNSKEY set must be signed that has a DS. */
  private async keysOf(zone: Name, ds: readonly Buffer[]): Promise<Found> {
    // With nothing but algorithms or digests that nobody here knows it is as if there were no DS (RFC 4035 §5.2).
    const usable = ds.filter((each) => {
      const { algorithm, digestType } = fieldsOf('DS', each)
      return isSupported(algorithm) && digestType === 2
    })
    if (usable.length === 0) return insecure(FAILURE_MS / 1000)
    return this.ask({ name: zone, type: TYPE.DNSKEY, class: CLASS.IN }, ({ answers }) => {
      const set = setsOf(answers).find(({ owner, type }) => owner === zone && type === TYPE.DNSKEY)
      if (set === undefined) return bogus(EDE.DNSKEY_MISSING)
      const keys = set.records.map(({ data }) => data)
      const entry = keys.filter((key) => usable.some((each) => isDsOf(each, zone, key)))
      if (entry.length === 0) return bogus(EDE.DNSKEY_MISSING)
      const checked = checkSet(set, { zone, keys: entry }, this.options.seconds())
      return checked.holds ? { standing: { status: 'secure', zone, keys }, ttl: ttlOf(set) } : bogus(checked.ede)
    })
  }
}

interface Found {
  readonly standing: Standing
  /** Seconds. */
  readonly ttl: number
}

function insecure(ttl: number): Found {
  return { standing: { status: 'insecure' }, ttl }
}

function bogus(ede: number): Found {
  return { standing: { status: 'bogus', ede }, ttl: 0 }
}

function ttlOf(set: SignedSet): number {
  return Math.min(...set.records.map(({ ttl }) => ttl))
}
