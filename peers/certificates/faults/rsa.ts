/** A sound chain whose leaf has an RSA key of 2048 bits, for what goes with RSA alone: finite-field Diffie-Hellman. */
import type { CertificateFault } from '../fault.ts'
import { issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'rsa',
  title: 'Sound chain with an RSA key',
  source: ['RFC 5280 §6', 'RFC 3279 §2.3.1'],
  async issue(given) {
    const key = await given.rsaKey(2048, 'leaf')
    const chain = [issueLeaf(given, { key }), given.intermediate.certificate]
    return { chain, keyPem: key.pem, detail: 'nothing is wrong; the key is RSA' }
  },
}
