/** The leaf is signed with SHA-1; everything above it is sound. RFC 9325 §4.5 forbids that, and no client may trust it. */
import type { CertificateFault } from '../fault.ts'
import { weaklySignedLeaf } from '../weak-digest.ts'

export const fault: CertificateFault = {
  id: 'sha1-leaf',
  title: 'SHA-1-signed leaf',
  source: ['RFC 9325 §4.5', 'RFC 9155 §3'],
  issue: (given) => weaklySignedLeaf(given, 'sha1'),
}
