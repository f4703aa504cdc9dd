/** A sound chain for another host, with the genuine key. */
import type { CertificateFault } from '../fault.ts'
import { dnsName, issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'wrong-name',
  title: 'SAN is another name',
  source: ['RFC 8461 §4.2', 'RFC 7672 §3.2.1'],
  async issue(given) {
    const other = 'somebody-else.badmx.test'
    const leaf = issueLeaf(given, { commonName: other, alternativeNames: [dnsName(other)] })
    return { chain: [leaf, given.intermediate.certificate], keyPem: given.key.pem, detail: `the leaf is for ${other}` }
  },
}
