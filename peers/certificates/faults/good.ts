/** A chain that every client must accept: leaf, intermediate; the root is left out (RFC 8446 §4.4.2). */
import type { CertificateFault } from '../fault.ts'
import { issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'good',
  title: 'Sound chain of the trusted test CA',
  source: ['RFC 5280 §6', 'RFC 7817 §3'],
  async issue(given) {
    const leaf = issueLeaf(given)
    return { chain: [leaf, given.intermediate.certificate], keyPem: given.key.pem, detail: 'nothing is wrong' }
  },
}
