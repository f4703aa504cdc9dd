/** The leaf ended a day ago. */
import type { CertificateFault } from '../fault.ts'
import { DAY, issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'expired',
  title: 'Expired leaf',
  source: ['RFC 5280 §4.1.2.5', 'RFC 8461 §4.2'],
  async issue(given) {
    const days = (count: number) => new Date(given.now.getTime() + count * DAY)
    const leaf = issueLeaf(given, { from: days(-91), until: days(-1) })
    return {
      chain: [leaf, given.intermediate.certificate],
      keyPem: given.key.pem,
      detail: 'the leaf expired a day ago',
    }
  },
}
