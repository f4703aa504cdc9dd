/** A sound chain whose leaf has an RSA key of 1024 bits. RFC 9325 §4.5 wants 2048. */
import type { CertificateFault } from '../fault.ts'
import { issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'rsa-1024',
  title: 'RSA key of 1024 bits',
  source: ['RFC 9325 §4.5'],
  async issue(given) {
    const key = await given.rsaKey(1024, 'leaf')
    const chain = [issueLeaf(given, { key }), given.intermediate.certificate]
    return { chain, keyPem: key.pem, detail: "the leaf's RSA key has 1024 bits" }
  },
}
