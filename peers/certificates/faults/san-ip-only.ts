/** The only names are addresses, those of the loopback: the address that a client connected to proves nothing. */
import type { CertificateFault } from '../fault.ts'
import { addressName, issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'san-ip-only',
  title: 'SAN is IP address only',
  source: ['RFC 7817 §3', 'RFC 9525 §6.3'],
  async issue(given) {
    const leaf = issueLeaf(given, {
      commonName: 'badmx test peer',
      alternativeNames: ['127.0.0.1', '::1'].map(addressName),
    })
    return {
      chain: [leaf, given.intermediate.certificate],
      keyPem: given.key.pem,
      detail: 'the leaf names addresses only',
    }
  },
}
