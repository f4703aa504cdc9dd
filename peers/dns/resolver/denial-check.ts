/**
 * What NSEC and NSEC3 records prove, once their signatures hold (RFC 4035 §5.4, RFC 5155 §8, RFC 6840 §4). Pure.
 *
 * `secure`: proven. `insecure`: not proven, and that is as it may be (opt-out, more hash rounds than anybody computes:
 * RFC 9276 §3.2). `bogus`: not proven.
 */

import { base32hex } from '../base32hex.ts'
import { nsec3Hash } from '../dnssec/denial.ts'
import { nextCloser } from '../dnssec/proof.ts'
import {
  canonical,
  childOf,
  countLabels,
  isWithin,
  labelsOf,
  lastLabels,
  type Name,
  parentOf,
  sortKey,
} from '../name.ts'
import { TYPE } from '../numbers.ts'
import { fieldsOf, type Rdata } from '../rdata.ts'
import type { SignedSet } from './signed-set.ts'

export type Proven = 'secure' | 'insecure' | 'bogus'

/** Iterations above which a proof is not computed (unbound's and BIND's limit until 2023). */
const MOST_ITERATIONS = 150

interface Nsec {
  readonly owner: Name
  readonly next: Name
  readonly types: readonly number[]
}

interface Nsec3 extends Rdata<'NSEC3'> {
  /** The hash in the owner name, base32hex. */
  readonly hash: string
}

/** The denials of one message, all signed by `zone`. */
export class DenialCheck {
  private readonly zone: Name
  private readonly nsecs: readonly Nsec[]
  private readonly nsec3s: readonly Nsec3[]
  private readonly hashes = new Map<Name, string>()

  constructor(zone: Name, sets: readonly SignedSet[]) {
    this.zone = zone
    const records = sets.flatMap(({ owner, type, records: own }) => own.map(({ data }) => ({ owner, type, data })))
    this.nsecs = records
      .filter(({ type }) => type === TYPE.NSEC)
      .map(({ owner, data }) => {
        const { next, types } = fieldsOf('NSEC', data)
        return { owner, next: canonical(next), types }
      })
    this.nsec3s = records
      .filter(({ type }) => type === TYPE.NSEC3)
      .map(({ owner, data }) => ({ ...fieldsOf('NSEC3', data), hash: labelsOf(owner)[0] ?? '' }))
      // Other hash algorithms and unknown flags are ignored (RFC 5155 §8.1, §8.2).
      .filter(({ algorithm, flags, next }) => algorithm === 1 && flags <= 1 && next.length === 20)
  }

  get kind(): 'nsec' | 'nsec3' {
    return this.nsec3s.length > 0 ? 'nsec3' : 'nsec'
  }

  /** The name does not exist, nor a wildcard that could stand for it. */
  noName(name: Name): Proven {
    if (this.nsec3s.length > 0) return this.noNameByHash(name)
    const cover = this.nsecs.find((nsec) => this.covers(nsec, name))
    // A name that the next one is below is an empty non-terminal: it exists.
    if (cover === undefined || isWithin(cover.next, name)) return 'bogus'
    const wildcard = childOf(enclosing(cover, name), '*')
    return this.nsecs.some((nsec) => this.covers(nsec, wildcard)) ? 'secure' : 'bogus'
  }

  /** The name exists and has neither `type` nor an alias; or a wildcard stands for it of which that is so. */
  noData(name: Name, type: number): Proven {
    if (this.nsec3s.length > 0) return this.noDataByHash(name, type)
    const own = this.nsecs.find(({ owner }) => owner === name)
    if (own !== undefined) return lacks(own.types, type) ? 'secure' : 'bogus'
    const cover = this.nsecs.find((nsec) => this.covers(nsec, name))
    if (cover === undefined) return 'bogus'
    if (isWithin(cover.next, name)) return 'secure'
    const wildcard = childOf(enclosing(cover, name), '*')
    const proves = this.nsecs.some(({ owner, types }) => owner === wildcard && lacks(types, type))
    return proves ? 'secure' : 'bogus'
  }

  /** Nothing is nearer to the name than `encloser`, so that the wildcard below that stands for it. */
  noNameBelow(name: Name, encloser: Name): Proven {
    if (this.nsec3s.length === 0) {
      const proves = (nsec: Nsec): boolean =>
        this.covers(nsec, name) && !isWithin(nsec.next, name) && enclosing(nsec, name) === encloser
      return this.nsecs.some(proves) ? 'secure' : 'bogus'
    }
    if (this.isTooCostly()) return 'insecure'
    const cover = this.coverOf(nextCloser(name, encloser))
    return cover === undefined ? 'bogus' : secured(cover)
  }

  /** What the parent says of a name in its zone that has no DS: that it is a cut, that it is none, or neither. */
  noDs(name: Name): 'cut' | 'no-cut' | 'insecure' | 'bogus' {
    const proven = this.noData(name, TYPE.DS)
    if (proven !== 'secure') return proven
    const types = this.nsecs.find(({ owner }) => owner === name)?.types ?? this.matchOf(name)?.types ?? []
    return types.includes(TYPE.NS) && !types.includes(TYPE.SOA) ? 'cut' : 'no-cut'
  }

  private noNameByHash(name: Name): Proven {
    if (this.isTooCostly()) return 'insecure'
    const found = this.closestEncloser(name)
    if (found === undefined) return 'bogus'
    const wildcard = this.coverOf(childOf(found.encloser, '*'))
    return wildcard === undefined ? 'bogus' : secured(found.cover)
  }

  private noDataByHash(name: Name, type: number): Proven {
    if (this.isTooCostly()) return 'insecure'
    const own = this.matchOf(name)
    if (own !== undefined) return lacks(own.types, type) ? 'secure' : 'bogus'
    const found = this.closestEncloser(name)
    if (found === undefined) return 'bogus'
    const wildcard = this.matchOf(childOf(found.encloser, '*'))
    if (wildcard !== undefined) return lacks(wildcard.types, type) ? secured(found.cover) : 'bogus'
    // RFC 5155 §8.6; for other types it is an empty non-terminal that opt-out has left out (erratum 3441).
    return (found.cover.flags & 1) === 1 ? 'insecure' : 'bogus'
  }

  /** RFC 5155 §8.3. */
  private closestEncloser(name: Name): { readonly encloser: Name; readonly cover: Nsec3 } | undefined {
    for (let encloser = name; isWithin(encloser, this.zone); encloser = parentOf(encloser)) {
      const match = this.matchOf(encloser)
      if (match !== undefined) {
        // What a delegation or a DNAME hides cannot be denied from here.
        const isHidden =
          match.types.includes(TYPE.DNAME) || (match.types.includes(TYPE.NS) && !match.types.includes(TYPE.SOA))
        const cover = encloser === name || isHidden ? undefined : this.coverOf(nextCloser(name, encloser))
        return cover === undefined ? undefined : { encloser, cover }
      }
      if (encloser === this.zone) return undefined
    }
    return undefined
  }

  private isTooCostly(): boolean {
    return this.nsec3s.some(({ iterations }) => iterations > MOST_ITERATIONS)
  }

  private matchOf(name: Name): Nsec3 | undefined {
    const hash = this.hashOf(name)
    return this.nsec3s.find((each) => each.hash === hash)
  }

  private coverOf(name: Name): Nsec3 | undefined {
    const hash = this.hashOf(name)
    return this.nsec3s.find((each) => {
      const next = base32hex(each.next)
      return each.hash < next ? each.hash < hash && hash < next : each.hash < hash || hash < next
    })
  }

  /** All records of a zone's chain have the same salt and rounds; the first one's are taken. */
  private hashOf(name: Name): string {
    const known = this.hashes.get(name)
    if (known !== undefined) return known
    const [first] = this.nsec3s
    const made = first === undefined ? '' : base32hex(nsec3Hash(name, first.iterations, first.salt))
    this.hashes.set(name, made)
    return made
  }

  /**
   * Whether `name` lies between the owner and the next name; not so for what a delegation or a DNAME at the owner
   * hides.
   */
  private covers({ owner, next, types }: Nsec, name: Name): boolean {
    const isHidden = types.includes(TYPE.DNAME) || (types.includes(TYPE.NS) && !types.includes(TYPE.SOA))
    if (isHidden && isWithin(name, owner)) return false
    const [from, to, at] = [sortKey(owner), sortKey(next), sortKey(name)]
    // Only the last record of a zone leads back, and only to the apex.
    if (from < to) return from < at && at < to
    return next === this.zone && from < at && isWithin(name, this.zone)
  }
}

/** The closest ancestor of `name` that the span of a covering NSEC shows to exist. */
function enclosing({ owner, next }: Nsec, name: Name): Name {
  const shared = (other: Name): number => {
    let count = 0
    while (
      count < countLabels(name) &&
      lastLabels(name, count + 1) === lastLabels(other, count + 1) &&
      countLabels(other) > count
    )
      count++
    return count
  }
  return lastLabels(name, Math.max(shared(owner), shared(next)))
}

/** Neither the type nor an alias; and not the wrong side of a cut (RFC 6840 §4.1, §4.4): for DS that is the child's. */
function lacks(types: readonly number[], type: number): boolean {
  if (types.includes(type) || types.includes(TYPE.CNAME)) return false
  return type === TYPE.DS ? !types.includes(TYPE.SOA) : !types.includes(TYPE.NS) || types.includes(TYPE.SOA)
}

function secured({ flags }: Nsec3): Proven {
  return (flags & 1) === 1 ? 'insecure' : 'secure'
}
