/** The leaf is for clients only. */
import { PURPOSE } from '../extensions.ts'
import type { CertificateFault } from '../fault.ts'
import { issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'eku-client-only',
  title: 'EKU clientAuth only',
  source: ['RFC 5280 §4.2.1.12'],
  async issue(given) {
    const leaf = issueLeaf(given, { usages: [PURPOSE.clientAuth] })
    return {
      chain: [leaf, given.intermediate.certificate],
      keyPem: given.key.pem,
      detail: 'the extended key usage is clientAuth only',
    }
  },
}
