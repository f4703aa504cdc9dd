/**
 * The attacker's own server certificate, which is no CA's, signs one for the host. Only its signature is sound. The
 * authority above has no path length: it would refuse the chain where basicConstraints are ignored.
 */
import type { CertificateFault } from '../fault.ts'
import { dnsName, issueAuthority, issueLeaf } from '../leaf.ts'
import { distinguishedName } from '../mint.ts'

export const fault: CertificateFault = {
  id: 'leaf-as-ca',
  title: 'Chain signed by a non-CA leaf',
  source: ['RFC 5280 §4.2.1.9', 'CVE-2021-3450', 'CVE-2009-1390'],
  async issue(given) {
    const authority = issueAuthority(given, { commonName: 'badmx test unlimited CA', issuer: given.root })
    const key = given.newKey()
    const commonName = 'mx.attacker.test'
    const alternativeNames = [dnsName(commonName)]
    const certificate = issueLeaf(given, { commonName, alternativeNames, key, issuer: authority })
    const leaf = issueLeaf(given, { issuer: { subject: distinguishedName(commonName), key } })
    const chain = [leaf, certificate, authority.certificate]
    return { chain, keyPem: given.key.pem, detail: 'the leaf is signed by a server certificate' }
  },
}
