/**
 * The leaf is on the CRL of its distribution point. Nothing answers there, as for a client behind a firewall: a client
 * that has the CRL from elsewhere knows, another cannot.
 */
import { webcrypto } from 'node:crypto'
import { CRLDistributionPointsExtension, X509Certificate, X509CrlGenerator, X509CrlReason } from '@peculiar/x509'
import type { CertificateFault } from '../fault.ts'
import { DAY, issueLeaf, validFrom } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'revoked-crl',
  title: 'Revoked in CRL',
  source: ['RFC 5280 §4.2.1.13', 'RFC 8461 §4.2', 'RFC 9325 §7.5'],
  async issue(given) {
    const url = `http://crl.${given.names.domain}/badmx.crl`
    const leaf = await issueLeaf(given, { more: [new CRLDistributionPointsExtension([url])] })
    const { serialNumber } = new X509Certificate(leaf)
    const revocationDate = validFrom(given.now)
    const list = await X509CrlGenerator.create(
      {
        issuer: given.intermediate.subject,
        thisUpdate: revocationDate,
        nextUpdate: new Date(given.now.getTime() + DAY),
        signingKey: given.intermediate.key.signing,
        signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
        entries: [{ serialNumber, revocationDate, reason: X509CrlReason.keyCompromise }],
      },
      webcrypto,
    )
    const chain = [leaf, given.intermediate.certificate]
    const detail = `the leaf is on the CRL at ${url}, which nothing answers`
    return { chain, keyPem: given.key.pem, detail, crl: Buffer.from(list.rawData) }
  },
}
