/** A CRL (RFC 5280 §5) on which one certificate stands, signed by its issuer. */
import { enumerated, sequence, time, unsigned } from './der.ts'
import { expect, readChildren, readElement, readInside } from './der-reader.ts'
import { extension } from './extensions.ts'
import type { Issuer } from './fault.ts'
import { signed } from './mint.ts'

const KEY_COMPROMISE = 1

/** DER. The certificate was revoked at `from` for compromise of its key; the list holds until `until`. */
export function revocationList(options: {
  readonly certificate: Buffer
  readonly issuer: Issuer
  readonly from: Date
  readonly until: Date
}): Buffer {
  const { issuer, from, until } = options
  const tbs = readInside(readChildren(readElement(options.certificate))[0], 0x30, 'tbsCertificate')
  const serialNumber = expect(tbs[1], 0x02, 'serialNumber').bytes
  const reason = extension('2.5.29.21', false, enumerated(KEY_COMPROMISE))
  return signed(issuer.key, 'sha256', (algorithm) =>
    sequence(
      unsigned(Buffer.from([1])),
      algorithm,
      issuer.subject,
      time(from),
      time(until),
      sequence(sequence(serialNumber, time(from), sequence(reason))),
    ),
  )
}
