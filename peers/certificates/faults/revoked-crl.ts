/**
 * The leaf is on the CRL of its distribution point. Nothing answers there, as for a client behind a firewall: a client
 * that has the CRL from elsewhere knows, another cannot.
 */
import { revocationList } from '../crl.ts'
import { crlDistributionPoint } from '../extensions.ts'
import type { CertificateFault } from '../fault.ts'
import { DAY, issueLeaf, uriName, validFrom } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'revoked-crl',
  title: 'Revoked in CRL',
  source: ['RFC 5280 §4.2.1.13', 'RFC 8461 §4.2', 'RFC 9325 §7.5'],
  async issue(given) {
    const url = `http://crl.${given.names.domain}/badmx.crl`
    const leaf = issueLeaf(given, { more: [crlDistributionPoint(uriName(url))] })
    const crl = revocationList({
      certificate: leaf,
      issuer: given.intermediate,
      from: validFrom(given.now),
      until: new Date(given.now.getTime() + DAY),
    })
    const chain = [leaf, given.intermediate.certificate]
    const detail = `the leaf is on the CRL at ${url}, which nothing answers`
    return { chain, keyPem: given.key.pem, detail, crl }
  },
}
