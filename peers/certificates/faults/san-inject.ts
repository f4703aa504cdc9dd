/** One dNSName that reads as two when it is printed. */
import type { CertificateFault } from '../fault.ts'
import { dnsName, issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'san-inject',
  title: 'SAN string with ", DNS:"',
  source: ['CVE-2021-44532'],
  async issue(given) {
    const leaf = issueLeaf(given, {
      commonName: 'badmx test peer',
      alternativeNames: [dnsName(`mx.attacker.test, DNS:${given.names.host}`)],
    })
    return {
      chain: [leaf, given.intermediate.certificate],
      keyPem: given.key.pem,
      detail: 'one dNSName of the leaf contains ", DNS:" and the host',
    }
  },
}
