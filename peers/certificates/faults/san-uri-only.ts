/** The host stands in a URI, which is no name of a mail host. */
import type { CertificateFault } from '../fault.ts'
import { issueLeaf, uriName } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'san-uri-only',
  title: 'SAN is URI only',
  source: ['RFC 7817 §3', 'CVE-2021-44531'],
  async issue(given) {
    const leaf = issueLeaf(given, {
      commonName: 'badmx test peer',
      alternativeNames: [uriName(`smtp://${given.names.host}/`)],
    })
    return { chain: [leaf, given.intermediate.certificate], keyPem: given.key.pem, detail: 'the leaf names a URI only' }
  },
}
