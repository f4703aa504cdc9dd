/** The leaf demands a stapled OCSP response, and none is sent. */
import { mustStaple } from '../extensions.ts'
import type { CertificateFault } from '../fault.ts'
import { issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'must-staple-missing',
  title: 'Must-staple without staple',
  source: ['RFC 7633 §4'],
  async issue(given) {
    const leaf = issueLeaf(given, { more: [mustStaple()] })
    return {
      chain: [leaf, given.intermediate.certificate],
      keyPem: given.key.pem,
      detail: 'the leaf demands a stapled OCSP response, and none is sent',
    }
  },
}
