/** Only the leaf is sent; the intermediate, which clients do not have, is left out. */
import type { CertificateFault } from '../fault.ts'
import { issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'incomplete-chain',
  title: 'Intermediate missing',
  source: ['RFC 5246 §7.4.2', 'RFC 8446 §4.4.2'],
  async issue(given) {
    const leaf = issueLeaf(given)
    return { chain: [leaf], keyPem: given.key.pem, detail: 'the intermediate is not sent' }
  },
}
