/** The leaf is for clients only. */
import { ExtendedKeyUsage } from '@peculiar/x509'
import type { CertificateFault } from '../fault.ts'
import { issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'eku-client-only',
  title: 'EKU clientAuth only',
  source: ['RFC 5280 §4.2.1.12'],
  async issue(given) {
    const leaf = await issueLeaf(given, { usages: [ExtendedKeyUsage.clientAuth] })
    return {
      chain: [leaf, given.intermediate.certificate],
      keyPem: given.key.pem,
      detail: 'the extended key usage is clientAuth only',
    }
  },
}
