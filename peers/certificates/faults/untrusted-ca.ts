/** A sound chain of a CA that nobody was told to trust. Its names differ from those of the trusted one. */
import type { CertificateFault } from '../fault.ts'
import { issueAuthority, issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'untrusted-ca',
  title: 'Unknown CA',
  source: ['RFC 8461 §4.2', 'RFC 5280 §6.1'],
  async issue(given) {
    const root = issueAuthority(given, { commonName: 'Untrusted root' })
    const issuer = issueAuthority(given, { commonName: 'Untrusted intermediate', issuer: root, pathLength: 0 })
    const leaf = issueLeaf(given, { issuer })
    return { chain: [leaf, issuer.certificate], keyPem: given.key.pem, detail: 'the root of the chain is not trusted' }
  },
}
