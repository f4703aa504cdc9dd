/**
 * What a connection proved about the peer: by badmx's own check of the certificate that left for the client, never by what
 * the client says. Pure.
 *
 * The reference is PKIX and the host's name (RFC 5280 §6, RFC 9525) at the cell's clock. Two certificates name the peer
 * in a way that is left to the client: by the common name alone (RFC 7817 §3) and by the recipient domain (RFC 7817 §3,
 * RFC 7672 §3.2.2). In the scenarios about them, and nowhere else, they count as verified; under `mta-sts` never (RFC
 * 8461 §4.1, §4.2).
 *
 * Under `dane` and `dane-only` the reference is the host's TLSA records wherever they are secure and one of them is usable
 * (RFC 7672 §3); elsewhere what the peer showed is told by PKIX, and whether it may be enough is the cell's to say.
 */

import { type Verification, verifyPresented } from '../../peers/certificates/verify.ts'
import { readTlsaText, type TlsaRecord, unusable, verifyDane } from '../../peers/dns/dane.ts'
import type { CellBegun } from '../events.ts'
import type { Connection } from './connection.ts'

export interface Credential {
  /** `clear`: no TLS, or TLS without encryption. */
  readonly kind: 'clear' | 'unauthenticated' | 'verified'
  /** One clause: `an anonymous cipher`, `certificate of an unknown CA`. */
  readonly reason: string
  readonly verification?: Verification
}

/** The credential of the TLS session of a connection; `earlier` are the connections before it, for resumed sessions. */
export function credentialOf(connection: Connection, earlier: readonly Connection[], cell: CellBegun): Credential {
  const up = connection.ups.at(-1)?.event
  if (up === undefined) return { kind: 'clear', reason: 'no TLS' }
  if (isNullCipher(up.cipher)) return { kind: 'clear', reason: `${up.cipher} does not encrypt` }
  if (isAnonymousCipher(up.cipher)) return { kind: 'unauthenticated', reason: `${up.cipher} is anonymous` }
  // A session comes from a connection on which TLS came up.
  const before = up.resumed ? earlier.filter(({ host, ups }) => host === connection.host && ups.length > 0) : []
  const chain = [...before, connection].flatMap(({ presented }) => presented).at(-1)?.event.chain
  if (chain === undefined) return { kind: 'unauthenticated', reason: 'no certificate was presented' }
  const verification = verifyChain(chain, connection.host, cell)
  const byDane = daneOf(chain, connection.host, cell)
  if (byDane !== undefined) return { ...byDane, verification }
  if (verification.ok) return { kind: 'verified', reason: 'its certificate verifies', verification }
  const otherwise = namedOtherwise(chain, verification, connection.host, cell)
  if (otherwise !== undefined) {
    return { kind: 'verified', reason: `its certificate verifies, the name ${otherwise}`, verification }
  }
  return { kind: 'unauthenticated', reason: verification.reasons.join('; '), verification }
}

/** The TLSA records that a host is to be authenticated by (RFC 7672 §2.2), all of them, where one at least can be used. */
export function tlsaToUse(
  { judgedAs, hosts }: CellBegun,
  host: string,
): { readonly base: string; readonly records: readonly TlsaRecord[] } | undefined {
  const tlsa = hosts[host]?.tlsa
  if ((judgedAs !== 'dane' && judgedAs !== 'dane-only') || tlsa?.secure !== true) return undefined
  const records = tlsa.records.map(readTlsaText).filter((record) => record !== undefined)
  return records.some((record) => unusable(record) === undefined) ? { base: tlsa.base, records } : undefined
}

/** What the TLSA records of the host make of the chain; undefined where they do not count. */
function daneOf(chain: readonly Buffer[], host: string, cell: CellBegun): Omit<Credential, 'verification'> | undefined {
  const tlsa = tlsaToUse(cell, host)
  if (tlsa === undefined) return undefined
  const { base, records } = tlsa
  // RFC 7672 §3.2.2; under usage 2 the recipient domain is a reference identifier too.
  const names = [base, cell.domain]
  const { ok, reasons } = verifyDane({ chain, records, names, at: new Date(cell.clock) })
  return ok
    ? { kind: 'verified', reason: 'its certificate matches a TLSA record' }
    : { kind: 'unauthenticated', reason: reasons.join('; ') }
}

/** How a sound certificate names the peer where the scenario's own point is that a client may or may not accept it so. */
function namedOtherwise(
  chain: readonly Buffer[],
  verification: Verification,
  host: string,
  cell: CellBegun,
): string | undefined {
  if (cell.judgedAs === 'mta-sts' || !verification.chain || !verification.validity) return undefined
  const isAbout = (fault: string): boolean =>
    cell.proof.some((needed) => needed.host === host && needed.behaviour === `certificate:${fault}`)
  if (isAbout('cn-only') && verification.commonName) return 'by its common name alone'
  if (isAbout('nexthop-name') && verifyAs(chain, cell.domain, cell).ok) return 'by that of the recipient domain'
  return undefined
}

export function verifyChain(chain: readonly Buffer[], host: string, cell: CellBegun): Verification {
  return verifyAs(chain, cell.hostNames[host] ?? host, cell)
}

function verifyAs(chain: readonly Buffer[], hostName: string, cell: CellBegun): Verification {
  return verifyPresented({ chain, roots: cell.roots, hostName, at: new Date(cell.clock) })
}

/** No encryption: `TLS_RSA_WITH_NULL_SHA`, RFC 9150's suites, and OpenSSL's `NULL-SHA256`. */
export function isNullCipher(cipher: string): boolean {
  return /(^|[_-])NULL([_-]|$)/.test(cipher) || cipher === 'TLS_SHA256_SHA256' || cipher === 'TLS_SHA384_SHA384'
}

/** No authentication: `TLS_DH_anon_…`, `TLS_ECDH_anon_…`, and OpenSSL's `ADH-…`, `AECDH-…`. */
export function isAnonymousCipher(cipher: string): boolean {
  return /_anon_/i.test(cipher) || /^(ADH|AECDH)-/.test(cipher)
}

/** RC4, DES and 3DES, RC2, EXPORT, MD5, NULL: RFC 9325 §4.1. */
export function isWeakCipher(cipher: string): boolean {
  return /(^|[_-])(RC4|DES|3DES|DES40|RC2|EXPORT|EXP|MD5|NULL)([_-]|\d|$)/.test(cipher) || isNullCipher(cipher)
}
