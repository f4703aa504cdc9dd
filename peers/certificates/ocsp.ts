/** A basic OCSP response (RFC 6960 §4.2) that says that a certificate has been revoked, signed by its issuer. */
import { createHash } from 'node:crypto'
import { context, enumerated, generalizedTime, octetString, oid, sequence } from './der.ts'
import { expect, readChildren, readElement, readInside } from './der-reader.ts'
import type { Issuer } from './fault.ts'
import { signed } from './mint.ts'

const HOUR = 3_600_000

/** DER. Revoked an hour before `at` for compromise of its key; to be believed for a day. */
export function revokedResponse(options: {
  readonly certificate: Buffer
  readonly issuer: Issuer
  readonly at: Date
}): Buffer {
  const { issuer, at } = options
  const hours = (count: number) => new Date(at.getTime() + count * HOUR)
  const tbs = readInside(readChildren(readElement(options.certificate))[0], 0x30, 'tbsCertificate')
  const serialNumber = expect(tbs[1], 0x02, 'serialNumber').bytes
  const issuerName = expect(tbs[3], 0x30, 'issuer').bytes
  const point = expect(readChildren(readElement(issuer.key.spki))[1], 0x03, 'subjectPublicKey').content.subarray(1)
  const sha1 = (octets: Buffer) => octetString(createHash('sha1').update(octets).digest())
  const certificateId = sequence(sequence(oid('1.3.14.3.2.26')), sha1(issuerName), sha1(point), serialNumber)
  const revoked = context(1, generalizedTime(hours(-1)), context(0, enumerated(1)))
  const data = sequence(
    context(2, sha1(point)),
    generalizedTime(hours(-1)),
    sequence(sequence(certificateId, revoked, generalizedTime(hours(-1)), context(0, generalizedTime(hours(24))))),
  )
  const basic = signed(issuer.key, 'sha256', () => data)
  const bytes = sequence(oid('1.3.6.1.5.5.7.48.1.1'), octetString(basic))
  return sequence(enumerated(0), context(0, bytes))
}
