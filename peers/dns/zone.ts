/**
 * Zones as plain values: an origin, its records, who serves it. Nothing here is looked up or answered.
 *
 * Records are written as lines of a master file (RFC 1035 §5.1), relative to the origin, or made by {@link record}:
 *
 *     zone('badmx.test', ['@ MX 10 mx', 'mx A 198.18.0.25', '_25._tcp.mx 300 TLSA 3 1 1 e3b0…'])
 */
import { isIP } from 'node:net'
import type { AlgorithmName } from './dnssec/algorithms.ts'
import type { FaultItem } from './fault.ts'
import type { ResourceRecord } from './message.ts'
import { canonical, isWithin, type Name, parseName, ROOT, ZoneError } from './name.ts'
import { CLASS, TYPE, typeNumber, typeText } from './numbers.ts'
import { type ProvenSet, provenSet } from './proven-set.ts'
import { fieldsOf, type KnownType, type Rdata, rdata } from './rdata.ts'
import { rdataFromWords } from './rdata-text.ts'

/** A name server: one address for each of its hosts, so that its sockets tell who was asked. */
export interface NameServer {
  readonly name: Name
  /** IPv4 or IPv6. */
  readonly address: string
  /**
   * The address of a box in front of it, a firewall for one: then this is the address that the world knows, and what
   * the box does are the faults with `at: middlebox`.
   */
  readonly middlebox?: string
}

/** How a zone is signed. */
export interface Signing {
  /** Default `ECDSAP256SHA256`. */
  readonly algorithm?: AlgorithmName
  /** How it denies; default by NSEC. `salt` is hex. */
  readonly nsec3?: { readonly iterations?: number; readonly salt?: string; readonly optOut?: boolean }
  /** Whether the zone above has a DS for it; without one it is an island that nobody can trust. Default true. */
  readonly ds?: boolean
}

export interface Zone {
  readonly origin: Name
  /** All of one class, IN; no SOA and NS at the apex where the zone is to have the usual ones. */
  readonly records: readonly ResourceRecord[]
  /** Empty: the name server of the internet that it is put into. */
  readonly servers: readonly NameServer[]
  /** Of the records that are added, in seconds. */
  readonly ttl: number
  readonly signing: Signing | 'none'
  /** What its name servers do wrong; see {@link FaultItem}. */
  readonly faults: readonly FaultItem[]
  /** The sets that prove themselves; they need not be there. */
  readonly prove: readonly ProvenSet[]
  /** Stamped on the events of queries for names of this zone. */
  readonly cell?: string
}

export interface ZoneOptions {
  readonly servers?: readonly NameServer[]
  readonly faults?: readonly FaultItem[]
  /** Record sets that prove themselves, those that are written (`alias CNAME`) relative to the origin. */
  readonly prove?: readonly (string | ProvenSet)[]
  readonly cell?: string
  /** Default: signed with the defaults of {@link Signing}. */
  readonly signing?: Signing | 'none'
  /** Of records that name none, in seconds; default 300. */
  readonly ttl?: number
}

const DEFAULT_TTL = 300

/**
 * A zone.
 *
 * @throws {ZoneError} on lines that are no records, records outside the zone, a CNAME beside other data (RFC 2181
 * §10.1), and addresses of name servers that are none.
 */
export function zone(origin: string, records: readonly (string | ResourceRecord)[], options: ZoneOptions = {}): Zone {
  const apex = parseName(origin)
  const ttl = options.ttl ?? DEFAULT_TTL
  const all = records.map((each) => (typeof each === 'string' ? recordFromLine(each, apex, ttl) : each))
  for (const each of all) {
    if (!isWithin(canonical(each.name), canonical(apex)))
      throw new ZoneError(`${each.name} ${typeText(each.type)} is outside the zone ${apex}`)
  }
  checkAliases(all)
  const servers = (options.servers ?? []).map(({ name, address, middlebox }) => ({
    name: parseName(name),
    address: addressOf(name, address),
    ...(middlebox === undefined ? {} : { middlebox: addressOf(name, middlebox) }),
  }))
  return {
    origin: apex,
    records: all,
    servers,
    ttl,
    signing: options.signing ?? {},
    faults: options.faults ?? [],
    prove: (options.prove ?? []).map((each) => provenSetIn(each, apex)),
    ...(options.cell === undefined ? {} : { cell: options.cell }),
  }
}

function provenSetIn(given: string | ProvenSet, apex: Name): ProvenSet {
  const set = typeof given === 'string' ? provenSet(given, apex) : given
  if (!isWithin(canonical(set.name), canonical(apex)))
    throw new ZoneError(`${set.name} ${typeText(set.type)} is outside the zone ${apex}`)
  return set
}

/** An address as records and sockets write it (RFC 5952), so that it can be looked up. @throws {ZoneError} */
export function addressOf(name: string, address: string): string {
  if (isIP(address) === 0) throw new ZoneError(`${name} cannot be at ${JSON.stringify(address)}: that is no IP address`)
  return isIP(address) === 4 ? address : fieldsOf('AAAA', rdata('AAAA', { address })).address
}

/** A record from its fields; `name` is absolute. @throws {ZoneError} */
export function record<Type extends KnownType>(
  name: string,
  type: Type,
  fields: Rdata<Type>,
  ttl = DEFAULT_TTL,
): ResourceRecord {
  return { name: parseName(name), type: TYPE[type], class: CLASS.IN, ttl, data: rdata(type, fields) }
}

/**
 * A record from a line of a master file: `name [ttl] [IN] type data`. Names without a dot at the end are relative to
 * `origin`, `@` is the origin. Comments, parentheses and directives are not known.
 *
 * @throws {ZoneError}
 */
export function recordFromLine(line: string, origin: Name, ttl = DEFAULT_TTL): ResourceRecord {
  const absolute = (text: string): Name => {
    if (text === '@') return origin
    if (text.endsWith('.') && !text.endsWith('\\.')) return parseName(text)
    return parseName(origin === ROOT ? text : `${text}.${origin}`)
  }
  try {
    const [name = '', ...rest] = wordsOf(line)
    const written = /^\d+$/.test(rest[0] ?? '') ? rest.shift() : undefined
    if (rest[0]?.toUpperCase() === 'IN') rest.shift()
    const word = rest.shift() ?? ''
    const type = typeNumber(word)
    if (type === undefined) throw new ZoneError(`${JSON.stringify(word)} is no record type`)
    return {
      name: absolute(name),
      type,
      class: CLASS.IN,
      ttl: written === undefined ? ttl : Number(written),
      data: rdataFromWords(type, rest, absolute),
    }
  } catch (error) {
    throw error instanceof ZoneError ? new ZoneError(`${JSON.stringify(line)}: ${error.message}`) : error
  }
}

/** Words between white space; quotes keep white space together, and within them `\"` and `\DDD` are known. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|[^\s"]+|"/g)].map(([word, quoted]) => {
    if (word === '"') throw new ZoneError('a quote is not closed')
    if (quoted === undefined) return word
    return quoted.replace(/\\(\d{3}|.)/g, (_, octet: string) =>
      octet.length === 3 ? String.fromCharCode(Number(octet) & 0xff) : octet,
    )
  })
}

function checkAliases(records: readonly ResourceRecord[]): void {
  const types = new Map<Name, number[]>()
  for (const { name, type } of records) {
    const known = types.get(canonical(name))
    if (known === undefined) types.set(canonical(name), [type])
    else known.push(type)
  }
  for (const [name, found] of types)
    if (found.includes(TYPE.CNAME) && found.length > 1)
      throw new ZoneError(
        `${name} has a CNAME and ${typeText(found.find((type) => type !== TYPE.CNAME) ?? TYPE.CNAME)}`,
      )
}

/**
 * The two zones of the addresses 198.18.0.0/15 (RFC 2544), with a PTR for each `[address, name]`.
 *
 * @throws {ZoneError} on an address outside them.
 */
export function reverseZones(pointers: Iterable<readonly [address: string, name: string]>): Zone[] {
  const lines = new Map<string, string[]>([
    ['18.198.in-addr.arpa', []],
    ['19.198.in-addr.arpa', []],
  ])
  for (const [address, name] of pointers) {
    const [a, b, c, d] = address.split('.')
    const found = isIP(address) === 4 ? lines.get(`${b}.${a}.in-addr.arpa`) : undefined
    if (found === undefined) throw new ZoneError(`${address} is outside 198.18.0.0/15`)
    found.push(`${d}.${c} PTR ${parseName(name)}.`)
  }
  return [...lines].map(([origin, records]) => zone(origin, records))
}
