/** The leaf is signed with MD5; everything above it is sound. RFC 9325 §4.5 forbids that, and no client may trust it. */
import type { CertificateFault } from '../fault.ts'
import { weaklySignedLeaf } from '../weak-digest.ts'

export const fault: CertificateFault = {
  id: 'md5-leaf',
  title: 'MD5-signed leaf',
  source: ['RFC 9325 §4.5', 'RFC 6151 §2'],
  issue: (given) => weaklySignedLeaf(given, 'md5'),
}
