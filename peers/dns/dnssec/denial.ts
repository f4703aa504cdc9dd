/**
 * Authenticated denial of existence: the chain of a zone's names, by NSEC (RFC 4034 §4, RFC 9077) or by NSEC3 (RFC
 * 5155), and which of its records prove what (RFC 4035 §3.1.3, RFC 5155 §7.2).
 */
import { createHash } from 'node:crypto'
import { base32hex, fromBase32hex } from '../base32hex.ts'
import type { ResourceRecord } from '../message.ts'
import { canonical, childOf, countLabels, lastLabels, type Name, sortKey, wireName } from '../name.ts'
import { CLASS, TYPE } from '../numbers.ts'
import { rdata } from '../rdata.ts'
import type { RecordSet } from './signer.ts'

/** A name of the zone that the chain may hold. */
export interface ChainName {
  readonly name: Name
  /** Types that the zone has there, without those that denial itself adds. */
  readonly types: readonly number[]
  /** The zone ends here; without DS the other side is not signed. */
  readonly isCut: boolean
}

export interface Nsec3Options {
  /** More hash rounds than the first, 0 to 65,535. */
  readonly iterations: number
  readonly salt: Buffer
  /** Delegations without DS are left out (RFC 5155 §6). */
  readonly optOut: boolean
}

/** The records of a zone that deny. Each is a set of one, the same array each time, so that signatures can be kept. */
export interface Denial {
  readonly kind: 'nsec' | 'nsec3'
  /** The record of a name that the chain has. */
  match(name: Name): RecordSet | undefined
  /** The record between whose name and next name `name` lies; undefined where the chain has the name itself. */
  cover(name: Name): RecordSet | undefined
  /** Every record, in order. */
  all(): readonly RecordSet[]
}

/** @param names every name of the zone that is its own or a cut, empty non-terminals too. */
export function nsecChain(names: readonly ChainName[], ttl: number): Denial {
  const links = names
    .filter(({ types }) => types.length > 0)
    .map(({ name, types }) => ({ name, key: sortKey(name), types: [...types, TYPE.RRSIG, TYPE.NSEC] }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
  const chain = new Chain(links, ({ name, types }, next) => {
    // Lower case, whatever the zone has: the next name is signed as it stands (RFC 6840 §5.1), and 0x20 would break it.
    const data = rdata('NSEC', { next: canonical(next.name), types })
    return { name, type: TYPE.NSEC, class: CLASS.IN, ttl, data }
  })
  return {
    kind: 'nsec',
    match: (name) => chain.match(sortKey(name)),
    cover: (name) => chain.cover(sortKey(name)),
    all: () => chain.all(),
  }
}

/** As {@link nsecChain}, by hashes, which are labels below `apex`. */
export function nsec3Chain(apex: Name, names: readonly ChainName[], ttl: number, options: Nsec3Options): Denial {
  const { iterations, salt, optOut } = options
  const hash = (name: Name): string => base32hex(nsec3Hash(name, iterations, salt))
  const links = chained(names, optOut)
    .map(({ name, types, isCut }) => ({ name, key: hash(name), types: signedTypes(types, isCut) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
  const chain = new Chain(links, ({ key, types }, next) => {
    const fields = {
      algorithm: 1,
      flags: optOut ? 1 : 0,
      iterations,
      salt,
      next: fromBase32hex(next.key) ?? Buffer.alloc(0),
      types,
    }
    return { name: childOf(apex, key), type: TYPE.NSEC3, class: CLASS.IN, ttl, data: rdata('NSEC3', fields) }
  })
  return {
    kind: 'nsec3',
    match: (name) => chain.match(hash(name)),
    cover: (name) => chain.cover(hash(name)),
    all: () => chain.all(),
  }
}

/** The hash of a name (RFC 5155 §5): SHA-1 of it and the salt, so often once more as `iterations` says. */
export function nsec3Hash(name: Name, iterations: number, salt: Buffer): Buffer {
  let octets: Buffer = wireName(canonical(name))
  for (let round = 0; round <= iterations; round++) octets = createHash('sha1').update(octets).update(salt).digest()
  return octets
}

/** With opt-out neither insecure delegations nor the empty non-terminals that only lead to them are in the chain. */
function chained(names: readonly ChainName[], optOut: boolean): readonly ChainName[] {
  if (!optOut) return names
  const kept = names.filter(({ types, isCut }) => types.length > 0 && !(isCut && !types.includes(TYPE.DS)))
  const needed = new Set<Name>()
  for (const { name } of kept)
    for (let labels = countLabels(name); labels >= 0; labels--) needed.add(lastLabels(canonical(name), labels))
  const empty = names.filter(({ name, types }) => types.length === 0 && needed.has(canonical(name)))
  return [...kept, ...empty]
}

/** RRSIG is there where anything is signed: at a cut that is the DS alone. */
function signedTypes(types: readonly number[], isCut: boolean): readonly number[] {
  return types.length > 0 && (!isCut || types.includes(TYPE.DS)) ? [...types, TYPE.RRSIG] : types
}

interface Link {
  readonly name: Name
  /** By which the chain is in order. */
  readonly key: string
  readonly types: readonly number[]
}

class Chain {
  private readonly links: readonly Link[]
  private readonly make: (link: Link, next: Link) => ResourceRecord
  private readonly made = new Map<number, RecordSet>()

  constructor(links: readonly Link[], make: (link: Link, next: Link) => ResourceRecord) {
    this.links = links
    this.make = make
  }

  match(key: string): RecordSet | undefined {
    const at = this.before(key)
    return this.links[at]?.key === key ? this.set(at) : undefined
  }

  cover(key: string): RecordSet | undefined {
    const at = this.before(key)
    return this.links[at]?.key === key ? undefined : this.set(at)
  }

  all(): readonly RecordSet[] {
    return this.links.map((_, at) => this.set(at)).filter((set) => set !== undefined)
  }

  /** The last link whose key is not behind `key`; the last of all where there is none: the chain is a ring. */
  private before(key: string): number {
    let [low, high] = [0, this.links.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.links[middle]?.key ?? '') <= key) low = middle + 1
      else high = middle
    }
    return low === 0 ? this.links.length - 1 : low - 1
  }

  private set(at: number): RecordSet | undefined {
    const known = this.made.get(at)
    if (known !== undefined) return known
    const link = this.links[at]
    const next = this.links[(at + 1) % this.links.length]
    if (link === undefined || next === undefined) return undefined
    const set = [this.make(link, next)]
    this.made.set(at, set)
    return set
  }
}
