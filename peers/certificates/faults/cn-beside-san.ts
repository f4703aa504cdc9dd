/** The host is named in the common name, and the alternative names are another's: those alone count. */
import type { CertificateFault } from '../fault.ts'
import { dnsName, issueLeaf } from '../leaf.ts'

export const fault: CertificateFault = {
  id: 'cn-beside-san',
  title: 'CN matches, SAN is another name',
  source: ['RFC 6125 §6.4.4', 'RFC 9525 §2', 'RFC 7672 §3.2.3'],
  async issue(given) {
    const other = 'somebody-else.badmx.test'
    const leaf = await issueLeaf(given, { commonName: given.names.host, alternativeNames: [dnsName(other)] })
    return {
      chain: [leaf, given.intermediate.certificate],
      keyPem: given.key.pem,
      detail: `the common name is the host's, the alternative name ${other}`,
    }
  },
}
