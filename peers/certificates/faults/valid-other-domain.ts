/** A sound chain of a trusted CA for the attacker's own domain, with the attacker's key. */
import type { CertificateFault } from '../fault.ts'
import { dnsName, issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'valid-other-domain',
  title: "Attacker's publicly valid certificate for another domain",
  source: ['RFC 7672 §1.3.2'],
  async issue(given) {
    const other = 'mx.attacker.test'
    const key = given.newKey()
    const leaf = issueLeaf(given, { commonName: other, alternativeNames: [dnsName(other)], key })
    return {
      chain: [leaf, given.intermediate.certificate],
      keyPem: key.pem,
      detail: `the leaf is the attacker's own, for ${other}`,
      impostor: true,
    }
  },
}
