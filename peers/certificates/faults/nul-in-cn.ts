/** The common name is the host, a NUL, and a name of the attacker: a reader of C strings sees the host. */
import type { CertificateFault } from '../fault.ts'
import { issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'nul-in-cn',
  title: 'CN "mx.example\\0.evil"',
  source: ['CVE-2009-4565', 'CVE-2009-3942', 'CVE-2009-3765'],
  async issue(given) {
    const leaf = issueLeaf(given, { commonName: `${given.names.host}\0.attacker.test`, alternativeNames: [] })
    return {
      chain: [leaf, given.intermediate.certificate],
      keyPem: given.key.pem,
      detail: 'a NUL octet follows the host in the common name',
    }
  },
}
