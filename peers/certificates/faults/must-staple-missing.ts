/** The leaf demands a stapled OCSP response, and none is sent. */
import { Extension } from '@peculiar/x509'
import { sequence, unsigned } from '../der.ts'
import type { CertificateFault } from '../fault.ts'
import { issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'must-staple-missing',
  title: 'Must-staple without staple',
  source: ['RFC 7633 §4'],
  async issue(given) {
    const mustStaple = sequence(unsigned(Buffer.from([5]))) // status_request, RFC 6066 §8
    const leaf = await issueLeaf(given, { more: [new Extension('1.3.6.1.5.5.7.1.24', false, mustStaple)] })
    return {
      chain: [leaf, given.intermediate.certificate],
      keyPem: given.key.pem,
      detail: 'the leaf demands a stapled OCSP response, and none is sent',
    }
  },
}
