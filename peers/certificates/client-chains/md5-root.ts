/** The root is sent along, and its self-signature is MD5. */
import type { CertificateFault } from '../fault.ts'
import { md5Rooted } from '../md5-rooted.ts'

export const fault: CertificateFault = {
  id: 'md5-root',
  title: 'Client chain with a root that is signed with MD5',
  source: ['CAcert class 1 root', 'RFC 8446 §4.4.2'],
  async issue(given) {
    return {
      chain: await md5Rooted(given),
      keyPem: given.key.pem,
      detail: 'the root, which is sent, is signed with MD5',
    }
  },
}
