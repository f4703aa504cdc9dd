/**
 * A leaf with 10 000 names before the host's. The certificate message stays below the 102 400 octets that OpenSSL
 * reads by default, so that the number of names is what is tried.
 */
import type { CertificateFault } from '../fault.ts'
import { dnsName, issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'huge-san',
  title: '10 000 SANs',
  source: ['RFC 5280 §4.2.1.6'],
  async issue(given) {
    const others = Array.from({ length: 10_000 }, (_, index) => `${index.toString(36).padStart(3, '0')}.test`)
    const leaf = issueLeaf(given, { alternativeNames: [...others, given.names.host].map(dnsName) })
    const chain = [leaf, given.intermediate.certificate]
    return { chain, keyPem: given.key.pem, detail: 'nothing is wrong; the host is the last of 10 001 names' }
  },
}
