/** A sound chain of the test CA for a client: leaf, intermediate. */
import { PURPOSE } from '../extensions.ts'
import type { CertificateFault } from '../fault.ts'
import { issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'good',
  title: 'Sound client chain of the test CA',
  source: ['RFC 5280 §6'],
  async issue(given) {
    const leaf = issueLeaf(given, { usages: [PURPOSE.clientAuth] })
    return { chain: [leaf, given.intermediate.certificate], keyPem: given.key.pem, detail: 'nothing is wrong' }
  },
}
