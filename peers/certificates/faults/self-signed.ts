/** A self-signed server certificate with the right name, as a tool for such certificates makes it. */
import { X509Certificate } from 'node:crypto'
import { generate } from 'selfsigned'
import { pem } from '../der.ts'
import type { CertificateFault } from '../fault.ts'
import { DAY, validFrom } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'self-signed',
  title: 'Self-signed certificate',
  source: ['RFC 7672 §1.3.3', 'RFC 7435 §4'],
  async issue(given) {
    const { cert } = await generate([{ name: 'commonName', value: given.names.host }], {
      keyType: 'ec',
      curve: 'P-256',
      algorithm: 'sha256',
      keyPair: { privateKey: given.key.pem, publicKey: pem('PUBLIC KEY', given.key.spki) },
      notBeforeDate: validFrom(given.now),
      notAfterDate: new Date(given.now.getTime() + 365 * DAY),
    })
    const leaf = new X509Certificate(cert).raw
    return { chain: [leaf], keyPem: given.key.pem, detail: 'the leaf is signed by itself' }
  },
}
