/** The same chain as `md5-root` without its root: no signature in it is MD5. */
import type { CertificateFault } from '../fault.ts'
import { md5Rooted } from '../md5-rooted.ts'

export const fault: CertificateFault = {
  id: 'md5-root-left-out',
  title: 'Client chain without its root, which is signed with MD5',
  source: ['RFC 8446 §4.4.2'],
  async issue(given) {
    const [leaf, intermediate] = await md5Rooted(given)
    return { chain: [leaf, intermediate], keyPem: given.key.pem, detail: 'nothing is wrong with what is sent' }
  },
}
