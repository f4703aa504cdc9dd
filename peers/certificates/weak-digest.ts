/** A leaf signed with a hash that RFC 9325 §4.5 forbids, by an RSA intermediate that is sound, as the root above it is. */
import type { FaultContext, FaultyChain, WeakDigest } from './fault.ts'
import { issueAuthority, issueLeaf } from './leaf.ts'

const NAMES: Readonly<Record<WeakDigest, string>> = { md5: 'MD5', sha1: 'SHA-1' }

export async function weaklySignedLeaf(given: FaultContext, digest: WeakDigest): Promise<FaultyChain> {
  const key = await given.rsaKey(2048, 'authority')
  const issuer = issueAuthority(given, {
    commonName: 'badmx test intermediate RSA',
    issuer: given.root,
    pathLength: 0,
    key,
  })
  const leaf = issueLeaf(given, { issuer, digest })
  return {
    chain: [leaf, issuer.certificate],
    keyPem: given.key.pem,
    detail: `the leaf is signed with ${NAMES[digest]}`,
    weak: true,
  }
}
