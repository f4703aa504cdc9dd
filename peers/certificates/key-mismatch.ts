/**
 * An EC private key file (RFC 5915 §3 in PKCS #8) with the private part of one key and the public part of another.
 *
 * OpenSSL takes the public part from the file and compares it with the certificate's, so that it accepts the pair; it
 * signs with the private part, so that no signature verifies.
 */
import { bitString, context, octetString, oid, pem, sequence, unsigned } from './der.ts'
import { expect, readChildren, readElement, readInside } from './der-reader.ts'
import type { Key } from './fault.ts'

/** PEM of a key that claims to be `shown` and signs as `signing`; both P-256. */
export function coupledKey(shown: Key, signing: Key): string {
  const pkcs8 = readChildren(readElement(derOf(signing.pem)))
  const sec1 = readChildren(readElement(expect(pkcs8[2], 0x04, 'privateKey').content))
  const point = expect(readInside(readElement(shown.spki), 0x30, 'spki')[1], 0x03, 'subjectPublicKey').content.subarray(
    1,
  )
  const coupled = sequence(
    unsigned(Buffer.from([1])),
    octetString(expect(sec1[1], 0x04, 'privateKey').content),
    context(1, bitString(point)),
  )
  const algorithm = sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7'))
  return pem('PRIVATE KEY', sequence(unsigned(Buffer.from([0])), algorithm, octetString(coupled)))
}

function derOf(text: string): Buffer {
  return Buffer.from(text.replace(/-----[^-]+-----|\s/g, ''), 'base64')
}
