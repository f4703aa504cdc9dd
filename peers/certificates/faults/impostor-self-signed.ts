/** What a man in the middle makes for himself: the right name, a key of his own, signed by itself. */
import { X509Certificate } from 'node:crypto'
import { generate } from 'selfsigned'
import { pem } from '../der.ts'
import type { CertificateFault } from '../fault.ts'
import { DAY, validFrom } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'impostor-self-signed',
  title: "Self-signed certificate on a key that is not the host's",
  source: ['RFC 7672 §1.3.2'],
  async issue(given) {
    const key = given.newKey()
    const { cert } = await generate([{ name: 'commonName', value: given.names.host }], {
      keyType: 'ec',
      curve: 'P-256',
      algorithm: 'sha256',
      keyPair: { privateKey: key.pem, publicKey: pem('PUBLIC KEY', key.spki) },
      notBeforeDate: validFrom(given.now),
      notAfterDate: new Date(given.now.getTime() + 365 * DAY),
    })
    const leaf = new X509Certificate(cert).raw
    return {
      chain: [leaf],
      keyPem: key.pem,
      detail: "signed by itself, on a key that is not the host's",
      impostor: true,
    }
  },
}
