/** The dNSName is the host, a NUL, and a name of the attacker. */
import type { CertificateFault } from '../fault.ts'
import { dnsName, issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'nul-in-san',
  title: 'SAN with NUL',
  source: ['CVE-2009-3942', 'RFC 5280 §4.2.1.6'],
  async issue(given) {
    const leaf = issueLeaf(given, {
      commonName: 'badmx test peer',
      alternativeNames: [dnsName(`${given.names.host}\0.attacker.test`)],
    })
    return {
      chain: [leaf, given.intermediate.certificate],
      keyPem: given.key.pem,
      detail: 'a NUL octet follows the host in the dNSName',
    }
  },
}
