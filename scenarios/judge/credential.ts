/**
 * What a connection proved about the peer: by badmx's own check of the certificate that left for the client, never by what
 * the client says. Pure.
 *
 * The reference is PKIX and the host's name (RFC 5280 §6, RFC 9525) at the cell's clock. A certificate that has the name
 * only as its common name counts as verified but under `mta-sts`: RFC 7817 §3 lets a client accept it, RFC 8461 §4.2 does
 * not. TLSA records are no part of it: cells of the DANE policies are not run yet.
 */
import { type Verification, verifyPresented } from '../../peers/certificates/verify.ts'
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
  const before = up.resumed ? earlier.filter(({ host }) => host === connection.host) : []
  const chain = [...before, connection].flatMap(({ presented }) => presented).at(-1)?.event.chain
  if (chain === undefined) return { kind: 'unauthenticated', reason: 'no certificate was presented' }
  const verification = verifyChain(chain, connection.host, cell)
  if (verification.ok) return { kind: 'verified', reason: 'its certificate verifies', verification }
  const { commonName, validity } = verification
  if (verification.chain && validity && commonName && cell.judgedAs !== 'mta-sts') {
    return { kind: 'verified', reason: 'its certificate verifies, the name by its common name alone', verification }
  }
  return { kind: 'unauthenticated', reason: verification.reasons.join('; '), verification }
}

export function verifyChain(chain: readonly Buffer[], host: string, cell: CellBegun): Verification {
  return verifyPresented({
    chain,
    roots: cell.roots,
    hostName: cell.hostNames[host] ?? host,
    at: new Date(cell.clock),
  })
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
