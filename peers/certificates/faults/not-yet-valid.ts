/** The leaf begins tomorrow. */
import type { CertificateFault } from '../fault.ts'
import { DAY, issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'not-yet-valid',
  title: 'notBefore in future',
  source: ['RFC 5280 §4.1.2.5'],
  async issue(given) {
    const days = (count: number) => new Date(given.now.getTime() + count * DAY)
    const leaf = issueLeaf(given, { from: days(1), until: days(91) })
    return {
      chain: [leaf, given.intermediate.certificate],
      keyPem: given.key.pem,
      detail: 'the leaf is valid from tomorrow on',
    }
  },
}
