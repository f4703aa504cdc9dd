/**
 * The client's own reading of a chain, with each check apart, so that a flaw can leave one out. The correct client does
 * not use it: it asks OpenSSL ({@link ./certificate.ts}).
 */
import type { X509Certificate } from 'node:crypto'
import type { Presented } from './certificate.ts'

/**
 * `issuer`: names and signatures lead to a root; `authority`: every issuer is a CA; `purpose`: the leaf is for servers;
 * `signature`: none but the root is signed with MD5 or SHA-1 (RFC 9325 §4.5).
 */
export const CHAIN_CHECKS = ['issuer', 'authority', 'validity', 'purpose', 'signature'] as const
export type ChainCheck = (typeof CHAIN_CHECKS)[number]

/** id-kp-serverAuth and anyExtendedKeyUsage, RFC 5280 §4.2.1.12. */
const FOR_SERVERS = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0']
const LONGEST_PATH = 200
/** DER of the algorithm identifiers md5WithRSAEncryption and sha1WithRSAEncryption, RFC 3279 §2.2.1. */
const WEAK_SIGNATURES = ['300d06092a864886f70d0101040500', '300d06092a864886f70d0101050500'].map((octets) =>
  Buffer.from(octets, 'hex'),
)

/** The first of `checks` that the chain does not pass, in words; undefined when it passes all. */
export function doubt(presented: Presented, checks: readonly ChainCheck[]): string | undefined {
  const [leaf] = presented.chain
  if (leaf === undefined) return 'no certificate'
  const path = pathFrom(leaf, presented)
  const failing: Readonly<Record<ChainCheck, () => boolean>> = {
    issuer: () => !presented.roots.some((root) => root.raw.equals(path.at(-1)?.raw ?? Buffer.alloc(0))),
    authority: () => path.slice(1).some(({ ca }) => !ca),
    validity: () => path.some((certificate) => !isCurrent(certificate)),
    signature: () => path.some((link, at) => !isRootOf(path, at) && isWeaklySigned(link)),
    purpose: () => leaf.keyUsage !== undefined && !leaf.keyUsage.some((use) => FOR_SERVERS.includes(use)),
  }
  return checks.find((check) => failing[check]())
}

/** From the leaf towards a root, by names and signatures alone. */
function pathFrom(leaf: X509Certificate, { chain, roots }: Presented): X509Certificate[] {
  const path = [leaf]
  while (path.length < LONGEST_PATH) {
    const last = path.at(-1) ?? leaf
    const issuer = [...roots, ...chain].find((candidate) => !path.includes(candidate) && hasIssued(candidate, last))
    if (issuer === undefined) break
    path.push(issuer)
  }
  return path
}

function hasIssued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  try {
    return issuer.subject === certificate.issuer && certificate.verify(issuer.publicKey)
  } catch {
    // A key that OpenSSL cannot use has issued nothing.
    return false
  }
}

/** The last of a path that signs itself: a trust anchor's own signature proves nothing (RFC 5280 §6.1). */
function isRootOf(path: readonly X509Certificate[], at: number): boolean {
  return at > 0 && at === path.length - 1 && path[at]?.issuer === path[at]?.subject
}

function isWeaklySigned({ raw }: X509Certificate): boolean {
  return WEAK_SIGNATURES.some((algorithm) => raw.includes(algorithm))
}

/** The wall clock is a client's to read: certificates are checked as of now. */
function isCurrent({ validFrom, validTo }: X509Certificate): boolean {
  const now = Date.now()
  return Date.parse(validFrom) <= now && now <= Date.parse(validTo)
}
