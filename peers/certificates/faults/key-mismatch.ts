/**
 * A sound chain, and a key that is not the leaf's. The key file couples the leaf's public key with another private
 * one, which is how OpenSSL is brought to serve it; every signature of the handshake is then wrong.
 */
import type { CertificateFault } from '../fault.ts'
import { coupledKey } from '../key-mismatch.ts'
import { issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'key-mismatch',
  title: 'Certificate and key do not match',
  source: ['RFC 8446 §4.4.3'],
  async issue(given) {
    const leaf = issueLeaf(given)
    const chain = [leaf, given.intermediate.certificate]
    const keyPem = coupledKey(given.key, given.newKey())
    return { chain, keyPem, detail: "the handshake is signed with a key that is not the leaf's" }
  },
}
