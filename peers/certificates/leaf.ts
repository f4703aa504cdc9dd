/**
 * The sound certificates that faults start from: a server's leaf and a certification authority's, by RFC 5280 §4.2 and
 * RFC 7817 §3. A fault changes one thing about them.
 */
import { isIPv6 } from 'node:net'
import { der } from './der.ts'
import { alternativeNames, basicConstraints, extendedKeyUsage, keyUsage, PURPOSE } from './extensions.ts'
import type { CertificateRequest, FaultContext, Issuer, Key, WeakDigest } from './fault.ts'
import { distinguishedName } from './mint.ts'

const HOUR = 3_600_000
export const DAY = 24 * HOUR

/** When certificates of a run begin: an hour before it, for clients whose clock is a little slow. */
export function validFrom(now: Date): Date {
  return new Date(now.getTime() - HOUR)
}

/** How a leaf differs from the sound one. */
export interface LeafChanges {
  /** Default: the host's name, where X.520 has room for it (64 characters). */
  readonly commonName?: string
  /** Encoded GeneralNames; none leaves the extension out. Default: the host's name. */
  readonly alternativeNames?: readonly Buffer[]
  readonly from?: Date
  readonly until?: Date
  readonly issuer?: CertificateRequest['issuer']
  readonly key?: Key
  readonly digest?: WeakDigest
  /** Object identifiers of the extended key usage. Default: serverAuth. */
  readonly usages?: readonly string[]
  /** DER of each Extension. */
  readonly more?: readonly Buffer[]
}

/** A server certificate for the context's host, DER. */
export function issueLeaf(given: FaultContext, changes: LeafChanges = {}): Buffer {
  const { host } = given.names
  const names = changes.alternativeNames ?? [dnsName(host)]
  return given.certify({
    subject: distinguishedName(changes.commonName ?? (host.length <= 64 ? host : 'badmx test peer')),
    spki: (changes.key ?? given.key).spki,
    issuer: changes.issuer ?? given.intermediate,
    from: changes.from ?? validFrom(given.now),
    until: changes.until ?? new Date(given.now.getTime() + 90 * DAY),
    extensions: [
      basicConstraints(false),
      leafUsage(changes.key ?? given.key),
      extendedKeyUsage(changes.usages ?? [PURPOSE.serverAuth]),
      ...(names.length > 0 ? [alternativeNames(names)] : []),
      ...(changes.more ?? []),
    ],
    ...(changes.digest === undefined ? {} : { digest: changes.digest }),
  })
}

/** A certification authority. */
export function issueAuthority(
  given: Pick<FaultContext, 'now' | 'newKey' | 'certify'>,
  options: {
    readonly commonName: string
    /** Default: one of its own. */
    readonly key?: Key
    readonly digest?: WeakDigest
    /** Nobody: it signs itself. */
    readonly issuer?: Issuer
    /** RFC 5280 §4.2.1.9; no limit where absent. */
    readonly pathLength?: number
    readonly until?: Date
    readonly more?: readonly Buffer[]
  },
): Issuer {
  const key = options.key ?? given.newKey()
  const subject = distinguishedName(options.commonName)
  const certificate = given.certify({
    subject,
    spki: key.spki,
    issuer: options.issuer ?? { subject, key },
    from: validFrom(given.now),
    until: options.until ?? new Date(given.now.getTime() + 365 * DAY),
    extensions: [
      basicConstraints(true, options.pathLength),
      keyUsage('keyCertSign', 'cRLSign'),
      ...(options.more ?? []),
    ],
    ...(options.digest === undefined ? {} : { digest: options.digest }),
  })
  return { subject, key, certificate }
}

/** An RSA key also takes part in the key exchange of TLS_RSA suites (RFC 5246 §7.4.2): GnuTLS insists on keyEncipherment. */
function leafUsage({ signing }: Key): Buffer {
  return signing.asymmetricKeyType === 'rsa'
    ? keyUsage('digitalSignature', 'keyEncipherment')
    : keyUsage('digitalSignature')
}

/** dNSName; one octet per character, whatever it is. */
export function dnsName(text: string): Buffer {
  return der(0x82, Buffer.from(text, 'latin1'))
}

export function emailName(text: string): Buffer {
  return der(0x81, Buffer.from(text, 'latin1'))
}

export function uriName(text: string): Buffer {
  return der(0x86, Buffer.from(text, 'latin1'))
}

/** iPAddress of an IPv4 address, or of the IPv6 loopback or another address written in full groups. */
export function addressName(address: string): Buffer {
  if (!isIPv6(address)) return der(0x87, Buffer.from(address.split('.').map(Number)))
  const [head = '', tail = ''] = address.split('::')
  const before = head.split(':').filter(Boolean)
  const after = tail.split(':').filter(Boolean)
  const groups = [...before, ...new Array<string>(8 - before.length - after.length).fill('0'), ...after]
  return der(
    0x87,
    Buffer.from(groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255])),
  )
}
