/** The host is named in the common name alone. */
import type { CertificateFault } from '../fault.ts'
import { issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'cn-only',
  title: 'CN matches, no SAN',
  source: ['RFC 8461 §4.2', 'RFC 7817 §3', 'RFC 9525 §2'],
  async issue(given) {
    const leaf = issueLeaf(given, { commonName: given.names.host, alternativeNames: [] })
    return {
      chain: [leaf, given.intermediate.certificate],
      keyPem: given.key.pem,
      detail: 'the host is named in the common name only',
    }
  },
}
