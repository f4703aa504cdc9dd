/** The leaf is signed with MD5; everything above it is sound. RFC 9325 §4.5 forbids that, and no client may trust it. */
import type { CertificateFault } from '../fault.ts'
import { issueAuthority, issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'md5-leaf',
  title: 'MD5-signed leaf',
  source: ['RFC 9325 §4.5', 'RFC 6151 §2'],
  async issue(given) {
    const key = await given.rsaKey(2048, 'authority')
    const issuer = await issueAuthority(given, {
      commonName: 'badmx test intermediate RSA',
      issuer: given.root,
      pathLength: 0,
      key,
    })
    const leaf = await issueLeaf(given, { issuer, digest: 'md5' })
    return {
      chain: [leaf, issuer.certificate],
      keyPem: given.key.pem,
      detail: 'the leaf is signed with MD5',
      weak: true,
    }
  },
}
