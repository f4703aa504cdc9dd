/** The dNSName is in upper case; names are compared without case. */
import type { CertificateFault } from '../fault.ts'
import { dnsName, issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'case',
  title: 'SAN upper case',
  source: ['RFC 9525 §6.3', 'RFC 6125 §6.4.1'],
  async issue(given) {
    const leaf = issueLeaf(given, { alternativeNames: [dnsName(given.names.host.toUpperCase())] })
    return {
      chain: [leaf, given.intermediate.certificate],
      keyPem: given.key.pem,
      detail: 'nothing is wrong; the dNSName is in upper case',
    }
  },
}
