/** The leaf is signed with SHA-1; everything above it is sound. RFC 9325 §4.5 forbids that, and no client may trust it. */
import type { CertificateFault } from '../fault.ts'
import { issueAuthority, issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'sha1-leaf',
  title: 'SHA-1-signed leaf',
  source: ['RFC 9325 §4.5', 'RFC 9155 §3'],
  async issue(given) {
    const key = await given.rsaKey(2048, 'authority')
    const issuer = await issueAuthority(given, {
      commonName: 'badmx test intermediate RSA',
      issuer: given.root,
      pathLength: 0,
      key,
    })
    const leaf = await issueLeaf(given, { issuer, digest: 'sha1' })
    return {
      chain: [leaf, issuer.certificate],
      keyPem: given.key.pem,
      detail: 'the leaf is signed with SHA-1',
      weak: true,
    }
  },
}
