/** An authority that may issue for one other domain issues for the host. */
import { permittedNames } from '../extensions.ts'
import type { CertificateFault } from '../fault.ts'
import { dnsName, issueAuthority, issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'name-constraints',
  title: 'Name constraints violated',
  source: ['RFC 5280 §4.2.1.10'],
  async issue(given) {
    const more = [permittedNames([dnsName('somebody-else.badmx.test')])]
    const issuer = issueAuthority(given, {
      commonName: 'badmx constrained CA',
      issuer: given.root,
      pathLength: 0,
      more,
    })
    const leaf = issueLeaf(given, { issuer })
    const detail = 'the issuer is constrained to somebody-else.badmx.test'
    return { chain: [leaf, issuer.certificate], keyPem: given.key.pem, detail }
  },
}
