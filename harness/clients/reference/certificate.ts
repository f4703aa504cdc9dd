/**
 * What the correct client makes of a certificate: the chain is OpenSSL's to check, names follow RFC 9525 §6 (subject
 * alternative names of type dNSName only, a wildcard only as the whole left-most label), and a stapled OCSP response
 * that says "revoked" is believed (RFC 6066 §8).
 */
import type { X509Certificate } from 'node:crypto'
import { saysRevoked } from './ocsp.ts'

/** What the server showed in its handshake. */
export interface Presented {
  /** As sent, leaf first. */
  readonly chain: readonly X509Certificate[]
  readonly roots: readonly X509Certificate[]
  /** Why OpenSSL refuses the chain, in its own words; undefined when it accepts it. Says nothing of names. */
  readonly refusal: string | undefined
  /** The address that the connection went to. */
  readonly address: string
  readonly staple: Buffer | undefined
}

/** Why the chain is not to be trusted, or undefined. */
export function distrust(presented: Presented): string | undefined {
  if (presented.refusal !== undefined) return presented.refusal
  return presented.staple !== undefined && saysRevoked(presented.staple)
    ? 'the stapled response says revoked'
    : undefined
}

export function nameMatches(leaf: X509Certificate, hostName: string): boolean {
  return leaf.checkHost(hostName, { subject: 'never', partialWildcards: false }) !== undefined
}
