/**
 * The zones of a cell: what DNS says of its domain and of its hosts, and whether that can be validated. Pure.
 *
 * Every record stands in the nearest zone: a host or an alias that is called so belongs to a zone of its own accord.
 */
import type { FaultItem } from '../peers/dns/fault.ts'
import { canonical, isWithin, type Name, parseName, ZoneError } from '../peers/dns/name.ts'
import { TYPE } from '../peers/dns/numbers.ts'
import { provenSet } from '../peers/dns/proven-set.ts'
import { fieldsOf } from '../peers/dns/rdata.ts'
import { type Signing, type Zone, zone } from '../peers/dns/zone.ts'
import type { MailHost } from './client.ts'
import type { TlsaFacts } from './events.ts'
import type { DnsWorld, TlsaSpec } from './scenario.ts'

/** A host as DNS tells it. */
export interface PublishedHost extends MailHost {
  /** Each with where it is found. */
  readonly tlsa: readonly PublishedTlsa[]
}

export interface PublishedTlsa extends Pick<TlsaSpec, 'base' | 'alias'> {
  /** In presentation form. */
  readonly text: string
}

/** Seconds; short, so that a phase of the world is seen. */
const TTL = 1
/** The port of SMTP, which TLSA records are about (RFC 7672 §2.2.3) unless told otherwise. */
const SMTP_PORT = 25

interface Line {
  readonly owner: string
  readonly line: string
}

/**
 * @param tlsaPort of the service that the TLSA records of a host are about: by default SMTP's, also where hosts have other
 *   ports for lack of addresses of their own
 * @throws {ZoneError} on records that are none.
 */
export function zonesOf(
  world: DnsWorld,
  domain: string,
  hosts: readonly PublishedHost[],
  cell: string,
  tlsaPort: (host: PublishedHost) => number = () => SMTP_PORT,
): Zone[] {
  const named = (text: string): string => text.replaceAll('{domain}', domain)
  const names = Object.keys(world.zones).map(named)
  const lines = hosts.flatMap((host) =>
    linesOf(host, prefix(tlsaPort(host)), world.wildcard ? `*.${domain}` : host.name, domain, named),
  )
  const sets = world.prove.map((written) => ({ written, set: provenSet(named(written), parseName(domain)) }))
  const lost = sets.find(({ set }) => nearest(set.name, names) === undefined)
  if (lost !== undefined) throw new ZoneError(`${lost.written} is in none of the zones`)
  return Object.entries(world.zones).map(([name, { signing, records, faults }]) => {
    const origin = named(name)
    const prove = sets.flatMap(({ written, set }) => (nearest(set.name, names) === origin ? [{ ...set, written }] : []))
    const own = lines.filter(({ owner }) => nearest(owner, names) === origin).map(({ line }) => line)
    return zone(origin, [...new Set([...own, ...records.map(named)])], {
      ...(signing === undefined ? {} : { signing }),
      ...{
        faults: faults.map((fault) => atPort(withNames(fault, named), origin, hosts, tlsaPort)),
        prove,
        cell,
        ttl: TTL,
      },
    })
  })
}

function prefix(port: number): string {
  return `_${port}._tcp.`
}

/** A fault with {domain} filled in where its parameters have it. */
function withNames(fault: FaultItem, named: (text: string) => string): FaultItem {
  if (fault.with === undefined) return fault
  const filled = Object.entries(fault.with).map(([key, value]) => [
    key,
    typeof value === 'string' ? named(value) : value,
  ])
  return { ...fault, with: Object.fromEntries(filled) }
}

/** A fault of the TLSA records of one host, which a scenario writes with the port of SMTP, at the port of that host. */
function atPort(
  fault: FaultItem,
  origin: string,
  hosts: readonly PublishedHost[],
  tlsaPort: (host: PublishedHost) => number,
): FaultItem {
  const usual = prefix(SMTP_PORT)
  if (fault.name?.startsWith(usual) !== true) return fault
  const rest = fault.name.slice(usual.length)
  const host = hosts.find(({ name }) => name === `${rest}.${origin}`)
  return host === undefined ? fault : { ...fault, name: `${prefix(tlsaPort(host))}${rest}` }
}

function linesOf(
  { name, preference, address, tlsa }: PublishedHost,
  service: string,
  addressAt: string,
  domain: string,
  named: (text: string) => string,
) {
  const lines: Line[] = [
    { owner: addressAt, line: `${addressAt}. ${address.includes(':') ? 'AAAA' : 'A'} ${address}` },
    ...(preference === undefined ? [] : [{ owner: domain, line: `${domain}. MX ${preference} ${name}.` }]),
  ]
  for (const { text, base, alias } of tlsa) {
    const owner = `${service}${base === undefined ? name : named(base)}`
    const target = alias === undefined ? owner : named(alias)
    if (target !== owner) lines.push({ owner, line: `${owner}. CNAME ${target}.` })
    lines.push({ owner: target, line: `${target}. TLSA ${text}` })
  }
  return lines
}

/** Whether the records of a host can be validated, from the root down to it and to them. */
export function isSecure(world: DnsWorld, domain: string, name: string, tlsa: readonly PublishedTlsa[]): boolean {
  const named = (text: string): string => text.replaceAll('{domain}', domain)
  const unsigned = Object.entries(world.zones).filter(([, { signing }]) => isUnsigned(signing))
  const covered = (owner: string): boolean =>
    unsigned.some(([zoneName]) => isWithin(canonical(parseName(owner)), canonical(parseName(named(zoneName)))))
  const bases = tlsa.length === 0 ? [name] : tlsa.map(({ base }) => (base === undefined ? name : named(base)))
  const aliases = tlsa.flatMap(({ alias }) => (alias === undefined ? [] : [named(alias)]))
  return ![...bases, ...aliases].some(covered)
}

/** No validator can say more of it than that it is there (RFC 4035 §4.3, §5.2). */
function isUnsigned(signing: Signing | 'none' | undefined): boolean {
  return signing === 'none' || signing?.ds === false || signing?.algorithm === 'UNKNOWN'
}

function nearest(owner: string, zones: readonly string[]): string | undefined {
  const within = zones.filter((origin) => isWithin(canonical(parseName(owner)), canonical(parseName(origin))))
  return within.sort((a, b) => b.length - a.length)[0]
}

/**
 * What the event log tells. Records at names where no client looks are not told: it looks at the end of the aliases and at the
 * name in the MX record, and not at those between (RFC 7672 §2.2.2).
 */
export function tlsaFacts(world: DnsWorld, domain: string, name: string, tlsa: readonly PublishedTlsa[]): TlsaFacts {
  const named = (text: string): string => text.replaceAll('{domain}', domain)
  const aliases = aliasesOf(world, domain, name)
  const below = targetsOf(world, domain, TYPE.DNAME).get(canonical(parseName(name)))
  const lookedAt = new Set([name, ...aliases].map((each) => canonical(parseName(each))).concat(below ?? []))
  const found = tlsa.filter(({ base }) => base === undefined || lookedAt.has(canonical(parseName(named(base)))))
  // RFC 7672 §2.2.3: an alias below the base domain, by DNAME too, leaves that as it is.
  const base = found
    .map((each) => named(each.base ?? name))
    .find((each) => each !== name && canonical(parseName(each)) !== below)
  return {
    secure: isSecure(world, domain, name, found),
    base: base ?? name,
    ...(aliases.length === 0 ? {} : { aliases }),
    records: found.map(({ text }) => text),
  }
}

/** The names in MX records that lead to `name` by aliases. */
function aliasesOf(world: DnsWorld, domain: string, name: string): readonly string[] {
  const targets = targetsOf(world, domain, TYPE.CNAME)
  const leadsThere = (from: Name): boolean => {
    const seen = new Set<Name>()
    for (let here = targets.get(from); here !== undefined && !seen.has(here); here = targets.get(here)) {
      if (here === canonical(parseName(name))) return true
      seen.add(here)
    }
    return false
  }
  const exchanges = recordsOf(world, domain).flatMap(({ type, data }) =>
    type === TYPE.MX ? [fieldsOf('MX', data).exchange] : [],
  )
  return exchanges.filter((exchange) => leadsThere(canonical(exchange)))
}

/** Where the aliases of the world lead, by name. */
function targetsOf(world: DnsWorld, domain: string, wanted: number): ReadonlyMap<Name, Name> {
  return new Map(
    recordsOf(world, domain).flatMap(({ name, type, data }) =>
      type === wanted ? [[canonical(name), canonical(fieldsOf('CNAME', data).target)]] : [],
    ),
  )
}

function recordsOf(world: DnsWorld, domain: string): Zone['records'] {
  return zonesOf(world, domain, [], '').flatMap(({ records }) => records)
}
