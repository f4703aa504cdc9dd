/**
 * A client's chain under a root whose self-signature is MD5, as the class 1 root of CAcert was until 2019. Nothing hangs on
 * the signature of a root (RFC 5280 §6.1: a trust anchor is not checked); leaf and intermediate are signed with SHA-256.
 */
import { PURPOSE } from './extensions.ts'
import type { FaultContext } from './fault.ts'
import { DAY, issueAuthority, issueLeaf } from './leaf.ts'

/** DER: leaf, intermediate, root. */
export async function md5Rooted(given: FaultContext): Promise<readonly [Buffer, Buffer, Buffer]> {
  const root = issueAuthority(given, {
    commonName: 'CA Cert Signing Authority',
    key: await given.rsaKey(2048, 'authority'),
    digest: 'md5',
    until: new Date(given.now.getTime() + 3650 * DAY),
  })
  const issuer = issueAuthority(given, { commonName: 'CAcert Class 3 Root', issuer: root, pathLength: 0 })
  const leaf = issueLeaf(given, { issuer, usages: [PURPOSE.clientAuth] })
  return [leaf, issuer.certificate, root.certificate]
}
