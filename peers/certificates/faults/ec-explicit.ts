/**
 * A key on a curve that is given by its parameters instead of its name (RFC 3279 §2.3.5, forbidden by RFC 5480 §2.1.1), and by bad
 * ones: the field is 697 = 17 · 41, no prime, and the base point is compressed, so that whoever reads the key has to take the
 * square root of 696 in it. OpenSSL before 1.0.2zd, 1.1.1n and 3.0.2 never came to an end of that (CVE-2022-0778).
 */
import { bitString, octetString, oid, sequence, unsigned } from '../der.ts'
import type { CertificateFault } from '../fault.ts'
import { issueLeaf } from '../leaf.ts'

const EC_PUBLIC_KEY = '1.2.840.10045.2.1'
const PRIME_FIELD = '1.2.840.10045.1.1'

const octets = (hex: string): Buffer => Buffer.from(hex, 'hex')

/** ECParameters of version 1, RFC 3279 §2.3.5. */
const PARAMETERS = sequence(
  unsigned(octets('01')),
  sequence(oid(PRIME_FIELD), unsigned(octets('02b9'))),
  // y² = x³ + 696
  sequence(octetString(octets('0000')), octetString(octets('02b8'))),
  // x = 0, and the odd one of two roots
  octetString(octets('030000')),
  unsigned(octets('02b7')),
  unsigned(octets('01')),
)

export const fault: CertificateFault = {
  id: 'ec-explicit',
  title: 'Explicit, bad EC parameters',
  source: ['CVE-2022-0778', 'RFC 5480 §2.1.1'],
  async issue(given) {
    const spki = sequence(sequence(oid(EC_PUBLIC_KEY), PARAMETERS), bitString(octets('030000')))
    const leaf = await issueLeaf(given, { key: { ...given.key, spki } })
    const detail =
      "the leaf's key is on a curve of explicit parameters, over a field of 697 elements, which is no prime"
    return { chain: [leaf, given.intermediate.certificate], keyPem: given.key.pem, detail }
  },
}
