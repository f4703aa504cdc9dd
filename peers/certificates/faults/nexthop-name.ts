/** The leaf names the recipient domain, as a provider of many domains does that is checked by next hop. */
import type { CertificateFault } from '../fault.ts'
import { dnsName, issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'nexthop-name',
  title: 'SAN is the recipient domain, not the mail host',
  source: ['RFC 7672 §3.2.2', 'RFC 8461 §4.1'],
  async issue(given) {
    const leaf = issueLeaf(given, {
      commonName: given.names.domain,
      alternativeNames: [dnsName(given.names.domain)],
    })
    return {
      chain: [leaf, given.intermediate.certificate],
      keyPem: given.key.pem,
      detail: `the leaf is for the recipient domain, ${given.names.domain}`,
    }
  },
}
