/** The leaf demands a stapled OCSP response, which a client of TLS 1.2 has no way to send. */
import { ExtendedKeyUsage } from '@peculiar/x509'
import type { CertificateFault } from '../fault.ts'
import { issueLeaf, mustStaple } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'must-staple',
  title: 'Client certificate that wants a stapled response',
  source: ['RFC 7633 §4'],
  async issue(given) {
    const leaf = await issueLeaf(given, { usages: [ExtendedKeyUsage.clientAuth], more: [mustStaple()] })
    const chain = [leaf, given.intermediate.certificate]
    return { chain, keyPem: given.key.pem, detail: 'the leaf demands a stapled OCSP response' }
  },
}
