/** The intermediate may issue leaves only (path length 0), and issued an authority that issued the leaf. */
import type { CertificateFault } from '../fault.ts'
import { issueAuthority, issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'pathlen',
  title: 'pathLen exceeded',
  source: ['RFC 5280 §4.2.1.9'],
  async issue(given) {
    const issuer = issueAuthority(given, { commonName: 'badmx test sub-CA', issuer: given.intermediate })
    const leaf = issueLeaf(given, { issuer })
    const chain = [leaf, issuer.certificate, given.intermediate.certificate]
    return { chain, keyPem: given.key.pem, detail: 'an authority stands below one whose path length is 0' }
  },
}
