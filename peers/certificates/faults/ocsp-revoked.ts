/** A sound chain, and a signed OCSP response that says revoked, stapled for clients that ask for one. */
import type { CertificateFault } from '../fault.ts'
import { issueLeaf } from '../leaf.ts'
import { revokedResponse } from '../ocsp.ts'

export const fault: CertificateFault = {
  id: 'ocsp-revoked',
  title: 'Stapled OCSP says revoked',
  source: ['RFC 6960 §4.2', 'RFC 6066 §8', 'RFC 9325 §7.5'],
  async issue(given) {
    const leaf = issueLeaf(given)
    const chain = [leaf, given.intermediate.certificate]
    const ocspResponse = revokedResponse({ certificate: leaf, issuer: given.intermediate, at: given.now })
    return { chain, keyPem: given.key.pem, detail: 'the stapled OCSP response says revoked', ocspResponse }
  },
}
