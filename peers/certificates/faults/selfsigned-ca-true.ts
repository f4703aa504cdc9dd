/**
 * The self-signed certificate of a CA as the leaf: what many mail servers install by default.
 * It has no key usage: one for signing certificates only would end the handshake (RFC 5246 §7.4.2).
 */
import { alternativeNames, basicConstraints } from '../extensions.ts'
import type { CertificateFault } from '../fault.ts'
import { DAY, dnsName, validFrom } from '../leaf.ts'
import { distinguishedName } from '../mint.ts'

export const fault: CertificateFault = {
  id: 'selfsigned-ca-true',
  title: 'Self-signed CA:TRUE as leaf',
  source: ['RFC 5280 §6.1', 'CVE-2020-24661'],
  async issue(given) {
    const { host } = given.names
    const subject = distinguishedName(host)
    const leaf = given.certify({
      subject,
      spki: given.key.spki,
      issuer: { subject, key: given.key },
      from: validFrom(given.now),
      until: new Date(given.now.getTime() + 365 * DAY),
      extensions: [basicConstraints(true), alternativeNames([dnsName(host)])],
    })
    return { chain: [leaf], keyPem: given.key.pem, detail: 'the leaf is the self-signed certificate of a CA' }
  },
}
