/** The leaf demands a stapled OCSP response, which a client of TLS 1.2 has no way to send. */
import { mustStaple, PURPOSE } from '../extensions.ts'
import type { CertificateFault } from '../fault.ts'
import { issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'must-staple',
  title: 'Client certificate that wants a stapled response',
  source: ['RFC 7633 §4'],
  async issue(given) {
    const leaf = issueLeaf(given, { usages: [PURPOSE.clientAuth], more: [mustStaple()] })
    const chain = [leaf, given.intermediate.certificate]
    return { chain, keyPem: given.key.pem, detail: 'the leaf demands a stapled OCSP response' }
  },
}
