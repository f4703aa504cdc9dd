/** A wildcard two labels above the host: it may stand for one label only. */
import type { CertificateFault } from '../fault.ts'
import { dnsName, issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'san-wildcard-deep',
  title: 'SAN *.example for a.b.example',
  source: ['RFC 6125 §6.4.3', 'RFC 9525 §6.3', 'RFC 8461 §4.1'],
  async issue(given) {
    const name = `*.${given.names.host.split('.').slice(2).join('.')}`
    const leaf = issueLeaf(given, { commonName: 'badmx test peer', alternativeNames: [dnsName(name)] })
    const chain = [leaf, given.intermediate.certificate]
    return { chain, keyPem: given.key.pem, detail: `the leaf is for ${name}` }
  },
}
