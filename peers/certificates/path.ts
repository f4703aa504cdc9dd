/**
 * Certification paths: built from what was sent and the trusted roots alone, checked by RFC 5280 §6.1.
 *
 * The order in which the certificates were sent does not matter (RFC 8446 §4.4.2). Dates are not looked at here. The
 * search is bounded: a chain made to branch cannot make it run for long.
 */
import { X509Certificate } from 'node:crypto'
import { constraintProblems, printable } from './names.ts'
import type { PresentedCertificate } from './presented.ts'

/** Leaf first, root last. */
export type Path = readonly PresentedCertificate[]

export interface PathSearch {
  /** Paths whose signatures verify and that end at a root; at most {@link MOST_PATHS}. */
  readonly paths: readonly Path[]
  /** Why there is none; empty when there is one. */
  readonly reasons: readonly string[]
}

const MOST_PATHS = 16
/** Signatures that are checked at most. */
const MOST_CHECKS = 1000
/** Certificates that are kept read. */
const REMEMBERED = 64

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const ANY_USAGE = '2.5.29.37.0'
/** Bits of keyUsage. */
const DIGITAL_SIGNATURE = 0
const KEY_ENCIPHERMENT = 2
const KEY_AGREEMENT = 4
const KEY_CERT_SIGN = 5

/** Signature algorithms with MD2, MD4, MD5 or SHA-1, which RFC 9325 §4.5 forbids in certificates. */
const WEAK: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.1.2', 'MD2'],
  ['1.2.840.113549.1.1.3', 'MD4'],
  ['1.2.840.113549.1.1.4', 'MD5'],
  ['1.2.840.113549.1.1.5', 'SHA-1'],
  ['1.3.14.3.2.29', 'SHA-1'],
  ['1.2.840.10045.4.1', 'SHA-1'],
  ['1.2.840.10040.4.3', 'SHA-1'],
])

/** Every path from the leaf to a root. */
export function findPaths(
  leaf: PresentedCertificate,
  sent: readonly PresentedCertificate[],
  roots: readonly PresentedCertificate[],
): PathSearch {
  const isRoot = (certificate: PresentedCertificate) => roots.some(({ bytes }) => bytes.equals(certificate.bytes))
  const differs = (certificate: PresentedCertificate, index: number) =>
    sent.findIndex(({ bytes }) => bytes.equals(certificate.bytes)) === index
  const candidates = [
    ...roots,
    ...sent.filter((certificate, index) => differs(certificate, index) && !isRoot(certificate)),
  ]
  const paths: Path[] = []
  const reasons = new Set<string>()
  const stack: Path[] = [[leaf]]
  for (let checks = 0; stack.length > 0 && paths.length < MOST_PATHS; ) {
    const path = stack.pop() ?? []
    const last = path.at(-1) ?? leaf
    if (isRoot(last)) {
      paths.push(path)
      continue
    }
    const issuers = candidates.filter((issuer) => issuer.subject.equals(last.issuer) && !path.includes(issuer))
    if (issuers.length === 0) reasons.add(noIssuer(last))
    for (const issuer of issuers.reverse()) {
      if (++checks > MOST_CHECKS)
        return { paths, reasons: paths.length > 0 ? [] : ['the chain branches too much to be searched'] }
      if (signedBy(last, issuer)) stack.push([...path, issuer])
      else reasons.add(`the signature of ${nameOf(last)} does not verify with the key of ${nameOf(issuer)}`)
    }
  }
  return { paths, reasons: paths.length > 0 ? [] : [...reasons] }
}

function noIssuer(last: PresentedCertificate): string {
  if (last.issuer.equals(last.subject)) return `${nameOf(last)} is self-signed and no trusted root (RFC 5280 §6.1)`
  return `the issuer of ${nameOf(last)} was not sent and is no trusted root (RFC 5280 §6.1)`
}

function signedBy(certificate: PresentedCertificate, issuer: PresentedCertificate): boolean {
  try {
    return parsed(certificate.bytes).verify(keyOf(issuer.bytes))
  } catch {
    return false
  }
}

/**
 * To read a certificate and its key takes OpenSSL longer than to verify a signature, and most of what a judge reads it has read
 * before: the root of the run, and the chain that a host showed at the connection before.
 */
const parsed = remembered((bytes: Buffer) => new X509Certificate(bytes))
const keyOf = remembered((bytes: Buffer) => new X509Certificate(bytes).publicKey)

/** The same by octets; the last {@link REMEMBERED} are known. What throws is not remembered. */
function remembered<Value>(read: (bytes: Buffer) => Value): (bytes: Buffer) => Value {
  const known = new Map<string, Value>()
  return (bytes) => {
    const octets = bytes.toString('latin1')
    const value = known.get(octets) ?? read(bytes)
    known.delete(octets)
    known.set(octets, value)
    if (known.size > REMEMBERED) known.delete(known.keys().next().value ?? '')
    return value
  }
}

/** What RFC 5280 §6.1 finds wrong with a path for a TLS server, dates apart; nothing when it is sound. */
export function pathProblems(path: Path): string[] {
  const authorities = path.slice(1)
  return [
    ...path.flatMap((certificate, index) => certificateProblems(certificate, index === path.length - 1)),
    ...path.slice(0, 1).flatMap(leafProblems),
    ...authorities.flatMap((authority, index) => authorityProblems(authority, path.slice(1, index + 1))),
    ...authorities.flatMap((authority, index) => constraintsBroken(authority, path.slice(0, index + 1))),
  ]
}

function certificateProblems(certificate: PresentedCertificate, isLast: boolean): string[] {
  const weak = WEAK.get(certificate.signatureAlgorithm)
  return [
    ...certificate.unknownCritical.map((id) => `${nameOf(certificate)} has the unknown critical extension ${id}`),
    ...(certificate.namedCurve ? [] : [`${nameOf(certificate)} has explicit EC parameters (RFC 5480 §2.1.1)`]),
    ...(weak === undefined || isLast ? [] : [`${nameOf(certificate)} is signed with ${weak} (RFC 9325 §4.5)`]),
  ]
}

function leafProblems(leaf: PresentedCertificate): string[] {
  const { keyUsage } = leaf
  const usable =
    keyUsage === undefined || [DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, KEY_AGREEMENT].some((bit) => keyUsage.has(bit))
  return [
    ...(usable ? [] : [`the key usage of ${nameOf(leaf)} does not allow TLS (RFC 5280 §4.2.1.3)`]),
    ...(forServers(leaf) ? [] : [`the extended key usage of ${nameOf(leaf)} lacks serverAuth (RFC 5280 §4.2.1.12)`]),
  ]
}

function forServers({ extendedKeyUsage }: PresentedCertificate): boolean {
  return extendedKeyUsage?.some((usage) => usage === SERVER_AUTH || usage === ANY_USAGE) ?? true
}

/** `below` are the authorities between this one and the leaf. */
function authorityProblems(authority: PresentedCertificate, below: readonly PresentedCertificate[]): string[] {
  const { basicConstraints, keyUsage } = authority
  if (authority.version !== 3 || basicConstraints?.authority !== true) {
    return [`${nameOf(authority)} issued a certificate and is no authority (basicConstraints, RFC 5280 §4.2.1.9)`]
  }
  const depth = below.filter((certificate) => !certificate.issuer.equals(certificate.subject)).length
  const { pathLength } = basicConstraints
  return [
    ...(keyUsage?.has(KEY_CERT_SIGN) === false
      ? [`the key usage of ${nameOf(authority)} lacks keyCertSign (RFC 5280 §4.2.1.3)`]
      : []),
    ...(pathLength !== undefined && depth > pathLength
      ? [`${depth} authorities below ${nameOf(authority)}, whose path length is ${pathLength} (RFC 5280 §4.2.1.9)`]
      : []),
    ...(forServers(authority) ? [] : [`the extended key usage of ${nameOf(authority)} lacks serverAuth`]),
  ]
}

/** `below` begins with the leaf; self-issued authorities are exempt (RFC 5280 §6.1.3 b). */
function constraintsBroken(authority: PresentedCertificate, below: readonly PresentedCertificate[]): string[] {
  const { nameConstraints } = authority
  if (nameConstraints === undefined) return []
  const bound = below.filter((certificate, index) => index === 0 || !certificate.issuer.equals(certificate.subject))
  return bound.flatMap((certificate) =>
    constraintProblems(nameConstraints, certificate).map(
      (problem) => `${problem}; constrained by ${nameOf(authority)}`,
    ),
  )
}

/** For reasons: the common name, or what there is instead. */
export function nameOf(certificate: PresentedCertificate): string {
  return `"${printable(certificate.commonNames[0] ?? 'a certificate without common name')}"`
}
