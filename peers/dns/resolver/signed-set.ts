/** Record sets of a message with their signatures, and whether a signature holds (RFC 4035 §5.3). Pure. */
import { isSupported, verifySignature } from '../dnssec/algorithms.ts'
import { keyTag, labelsSigned, type RecordSet, signedOctets } from '../dnssec/signer.ts'
import type { ResourceRecord } from '../message.ts'
import { canonical, childOf, isWithin, lastLabels, type Name } from '../name.ts'
import { EDE, TYPE } from '../numbers.ts'
import { fieldsOf, type Rdata } from '../rdata.ts'

export interface SignedSet {
  /** Lower case. */
  readonly owner: Name
  readonly type: number
  readonly records: RecordSet
  readonly signatures: readonly Rdata<'RRSIG'>[]
}

/** Keys of a zone that are trusted, as DNSKEY data. */
export interface TrustedZone {
  readonly zone: Name
  readonly keys: readonly Buffer[]
}

/** Whether a set holds. `encloser` is there for what a wildcard stands for: the name that the wildcard is below. */
export type Checked =
  | { readonly holds: true; readonly encloser?: Name }
  | { readonly holds: false; readonly ede: number }

/** The sets of a section, in the order in which they begin. Signatures that cover nothing there are left out. */
export function setsOf(section: readonly ResourceRecord[]): readonly SignedSet[] {
  const sets = new Map<string, { owner: Name; type: number; records: ResourceRecord[]; signatures: Rdata<'RRSIG'>[] }>()
  for (const record of section) {
    if (record.type === TYPE.RRSIG) continue
    const owner = canonical(record.name)
    const key = `${owner} ${record.type}`
    const set = sets.get(key) ?? { owner, type: record.type, records: [], signatures: [] }
    sets.set(key, set)
    set.records.push(record)
  }
  for (const record of section) {
    if (record.type !== TYPE.RRSIG) continue
    const signature = fieldsOf('RRSIG', record.data)
    sets.get(`${canonical(record.name)} ${signature.typeCovered}`)?.signatures.push(signature)
  }
  return [...sets.values()]
}

/** Checks a set against the keys of the zone that is to have signed it. @param seconds the time, since 1970. */
export function checkSet(set: SignedSet, { zone, keys }: TrustedZone, seconds: number): Checked {
  const own = set.signatures.filter(({ signer }) => canonical(signer) === zone)
  if (own.length === 0 || !isWithin(set.owner, zone)) return { holds: false, ede: EDE.RRSIGS_MISSING }
  let ede: number = EDE.DNSKEY_MISSING
  for (const signature of own) {
    const { algorithm, labels, expiration, inception } = signature
    if (!isSupported(algorithm) || labels > labelsSigned(set.owner)) continue
    const isWildcard = labels < labelsSigned(set.owner)
    const encloser = lastLabels(set.owner, labels)
    const data = signedOctets(signature, set.records, isWildcard ? childOf(encloser, '*') : set.owner)
    const matching = keys.filter((key) => isKeyOf(key, signature))
    if (matching.length === 0) continue
    if (!matching.some((key) => verifySignature(algorithm, fieldsOf('DNSKEY', key).key, data, signature.signature))) {
      ede = EDE.DNSSEC_BOGUS
      continue
    }
    if (isBefore(expiration, seconds)) ede = EDE.SIGNATURE_EXPIRED
    else if (isBefore(seconds, inception)) ede = EDE.SIGNATURE_NOT_YET_VALID
    else return isWildcard ? { holds: true, encloser } : { holds: true }
  }
  return { holds: false, ede }
}

/** A zone key (RFC 4034 §2.1.1) with the tag and algorithm that the signature names. */
function isKeyOf(dnskey: Buffer, { algorithm, keyTag: tag }: Rdata<'RRSIG'>): boolean {
  const { flags, protocol, algorithm: own } = fieldsOf('DNSKEY', dnskey)
  return (flags & 0x0100) !== 0 && protocol === 3 && own === algorithm && keyTag(dnskey) === tag
}

/** Serial number arithmetic (RFC 1982) on seconds modulo 2^32, as RFC 4034 §3.1.5 has it. */
function isBefore(earlier: number, later: number): boolean {
  return ((later - earlier) | 0) > 0
}
