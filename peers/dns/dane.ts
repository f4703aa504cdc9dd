/**
 * What TLSA records prove about the chain that a mail host presents (RFC 7672 §3, RFC 7671): the judge's check, never the
 * client's word. Pure and synchronous; never throws, whatever the octets are.
 *
 * What always holds: records that RFC 7672 has no use for prove nothing and refute nothing; usage 3 looks at neither names
 * nor dates (§3.1.1), usage 2 at both (§3.1.2, §3.2.2).
 */
import { DerError } from '../certificates/der-reader.ts'
import { verifyPresented } from '../certificates/verify.ts'
import { associationOf, type TlsaParameters } from './tlsa.ts'

export interface TlsaRecord extends TlsaParameters {
  readonly association: Buffer
}

export interface DaneInput {
  /** DER as sent, leaf first. */
  readonly chain: readonly Buffer[]
  readonly records: readonly TlsaRecord[]
  /** The reference identifiers of RFC 7672 §3.2.2, for usage 2: the TLSA base domain, the next-hop domain. */
  readonly names: readonly string[]
  readonly at: Date
}

export interface DaneVerification {
  readonly ok: boolean
  /** One line for each record that does not match; empty when `ok`. */
  readonly reasons: readonly string[]
}

const DIGEST_OCTETS: Readonly<Record<number, number>> = { 1: 32, 2: 64 }

/** Why a record cannot be used by SMTP, or undefined (RFC 7672 §3.1.3; RFC 6698 §4.1; RFC 7671 §10.3). */
export function unusable({ usage, selector, matchingType, association }: TlsaRecord): string | undefined {
  if (usage !== 2 && usage !== 3) return `usage ${usage} has no meaning for SMTP (RFC 7672 §3.1.3)`
  if (selector > 1) return `selector ${selector} is not known`
  if (matchingType > 2) return `matching type ${matchingType} is not known`
  const octets = DIGEST_OCTETS[matchingType]
  if (octets === undefined) return association.length === 0 ? 'it has no association data' : undefined
  return association.length === octets ? undefined : `${association.length} octets of digest, not ${octets}`
}

/** Whether one of the usable records matches the chain. */
export function verifyDane({ chain, records, names, at }: DaneInput): DaneVerification {
  const reasons: string[] = []
  for (const record of records) {
    const why =
      unusable(record) ?? (record.usage === 3 ? leafDiffers(chain, record) : noAnchor(chain, record, names, at))
    if (why === undefined) return { ok: true, reasons: [] }
    reasons.push(`TLSA ${record.usage} ${record.selector} ${record.matchingType}: ${why}`)
  }
  return { ok: false, reasons }
}

function leafDiffers([leaf]: readonly Buffer[], record: TlsaRecord): string | undefined {
  if (leaf === undefined) return 'no certificate was presented'
  return matches(leaf, record) ? undefined : 'the certificate of the peer is another one'
}

function matches(certificate: Buffer, record: TlsaRecord): boolean {
  try {
    return associationOf(certificate, record).equals(record.association)
  } catch (error) {
    if (error instanceof DerError) return false
    throw error
  }
}

/** A certificate in full may be the anchor although it was not sent: the record has all that there is of it. */
function noAnchor(
  chain: readonly Buffer[],
  record: TlsaRecord,
  names: readonly string[],
  at: Date,
): string | undefined {
  const whole = record.selector === 0 && record.matchingType === 0 ? [record.association] : []
  const roots = [...chain.slice(1).filter((certificate) => matches(certificate, record)), ...whole]
  if (roots.length === 0) return 'no certificate that was sent is the trust anchor'
  const tries = names.map((hostName) => verifyPresented({ chain, roots, hostName, at }))
  return tries.some(({ ok }) => ok) ? undefined : (tries[0]?.reasons.join('; ') ?? 'there is no name to check')
}

/** A record in its presentation form (RFC 6698 §2.2): `3 1 1 e3b0…`. */
export function tlsaText({ usage, selector, matchingType, association }: TlsaRecord): string {
  return `${usage} ${selector} ${matchingType} ${association.toString('hex')}`.trimEnd()
}

/** The reverse of {@link tlsaText}; undefined for what is no TLSA record. */
export function readTlsaText(text: string): TlsaRecord | undefined {
  const found = /^(\d{1,3}) (\d{1,3}) (\d{1,3})(?: ((?:[0-9a-f]{2})*))?$/i.exec(text)
  const [usage = 0, selector = 0, matchingType = 0] = (found ?? []).slice(1, 4).map(Number)
  if (found === null || Math.max(usage, selector, matchingType) > 255) return undefined
  return { usage, selector, matchingType, association: Buffer.from(found[4] ?? '', 'hex') }
}
