/**
 * A sound chain of the trusted CA on a key that is not the host's: issued by mistake, or to a man in the middle who passed
 * its checks. PKIX sees nothing wrong; only DANE knows the host's key (RFC 7672 §1.3.4).
 */
import type { CertificateFault } from '../fault.ts'
import { issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'impostor-trusted-ca',
  title: "Certificate of the trusted CA on a key that is not the host's",
  source: ['RFC 7672 §1.3.4'],
  async issue(given) {
    const key = given.newKey()
    const leaf = issueLeaf({ ...given, key })
    return {
      chain: [leaf, given.intermediate.certificate],
      keyPem: key.pem,
      detail: "a sound chain, on a key that is not the host's",
      impostor: true,
    }
  },
}
