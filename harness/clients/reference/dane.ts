/**
 * What the correct client makes of TLSA records (RFC 7672): which it looks up, what it wants of the host by them, and whether
 * a chain matches. It shares no code with the check that judges; the chain is read as {@link ./chain.ts} reads it.
 */
import { createHash, type X509Certificate } from 'node:crypto'
import type { Ask, DnsAnswer } from '../../../scenarios/client.ts'
import { nameMatches, type Presented } from './certificate.ts'
import { CHAIN_CHECKS, type ChainCheck, doubt } from './chain.ts'
import type { Decisions } from './decisions.ts'
import { Failure } from './failure.ts'

export interface Tlsa {
  readonly usage: number
  readonly selector: number
  readonly matchingType: number
  /** Hexadecimal, lower case. */
  readonly data: string
}

/** What DNS has the client want of a host. */
export type DaneDemand =
  /** As without DANE (RFC 7672 §2.2). */
  | { readonly kind: 'none' }
  /** TLS, and nothing of the certificate: the records are secure, and none can be used. */
  | { readonly kind: 'encrypted' }
  | { readonly kind: 'authenticated'; readonly records: readonly Tlsa[]; readonly base: string }

const SERVFAIL = 2

/**
 * RFC 7672 §2.2.2: TLSA records are looked for where the address is secure, at the end of the aliases first and then at the
 * name that they begin at; at this one alone where only its alias is secure.
 *
 * @throws {Failure} where a look-up fails: the host counts as one that cannot be reached (§2.1.2)
 */
export async function demandOf(ask: Ask, host: string, decide: Decisions): Promise<DaneDemand> {
  const address = await addressOf(ask, host)
  const target = address.records.at(-1)?.name ?? host
  const aliased = target !== host
  const aliasSecure = aliased && !address.secure && (await ask(host, 'CNAME')).secure
  if (!decide.asksForTlsa(address.secure || aliasSecure)) return { kind: 'none' }
  for (const base of address.secure && aliased ? [target, host] : [host]) {
    const answer = await ask(`_25._tcp.${base}`, 'TLSA')
    if (answer.rcode !== 0 && answer.rcode !== 3) {
      if (decide.afterFailedTlsa === 'none') return { kind: 'none' }
      throw new Failure('dns', 'connect', `the TLSA records of ${base} cannot be looked up`)
    }
    const found = answer.records.filter(({ type }) => type === 'TLSA')
    const aliasedTlsa = answer.records.some(({ type }) => type === 'CNAME')
    const records = aliasedTlsa && !decide.followsTlsaAliases ? [] : found.map(({ data }) => readTlsa(data))
    if (records.length === 0 || !decide.believesTlsa(answer.secure)) continue
    const usable = records.filter(decide.usesTlsa)
    if (usable.length > 0) return { kind: 'authenticated', records: usable, base }
    return { kind: decide.withUnusableTlsa }
  }
  return { kind: 'none' }
}

/** IPv4 or IPv6, whichever there is. */
async function addressOf(ask: Ask, host: string): Promise<DnsAnswer> {
  const v4 = await ask(host, 'A')
  const found = v4.records.some(({ type }) => type === 'A') ? v4 : await ask(host, 'AAAA')
  if (found.rcode === SERVFAIL) throw new Failure('dns', 'connect', `the address of ${host} cannot be looked up`)
  return found
}

function readTlsa(text: string): Tlsa {
  const [usage = 0, selector = 0, matchingType = 0] = text.split(' ').map(Number)
  return { usage, selector, matchingType, data: (text.split(' ')[3] ?? '').toLowerCase() }
}

/** RFC 7672 §3.1.3; RFC 6698 §2.1. */
export function isUsable({ usage, selector, matchingType, data }: Tlsa): boolean {
  const length = [data.length, 64, 128][matchingType]
  return (usage === 2 || usage === 3) && selector <= 1 && length === data.length && data !== ''
}

/** RFC 7672 §3.1.1: usage 3 looks at the leaf alone. */
export function matchesLeaf(record: Tlsa, { chain }: Presented): boolean {
  const [leaf] = chain
  return leaf !== undefined && matches(record, leaf)
}

/**
 * RFC 7672 §3.1.2, §3.2.2: usage 2 wants a chain to the anchor, its dates, and one of the names.
 *
 * @param checks what is looked at, apart from the names
 */
export function matchesAnchor(
  record: Tlsa,
  presented: Presented,
  names: readonly string[],
  checks: readonly ChainCheck[] = CHAIN_CHECKS,
): boolean {
  const [leaf, ...rest] = presented.chain
  const roots = rest.filter((certificate) => matches(record, certificate))
  if (leaf === undefined || roots.length === 0) return false
  return doubt({ ...presented, roots }, checks) === undefined && names.some((name) => nameMatches(leaf, name))
}

function matches({ selector, matchingType, data }: Tlsa, certificate: X509Certificate): boolean {
  const octets = selector === 1 ? certificate.publicKey.export({ type: 'spki', format: 'der' }) : certificate.raw
  if (matchingType === 0) return octets.toString('hex') === data
  return (
    createHash(matchingType === 1 ? 'sha256' : 'sha512')
      .update(octets)
      .digest('hex') === data
  )
}
