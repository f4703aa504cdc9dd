/** Extensions of certificates (RFC 5280 §4.2), DER, ready for a {@link CertificateRequest}. */
import { context, der, octetString, oid, sequence, unsigned } from './der.ts'

/** An Extension with `value`, the DER of what its identifier stands for. */
export function extension(id: string, critical: boolean, value: Uint8Array): Buffer {
  return sequence(oid(id), ...(critical ? [TRUE] : []), octetString(value))
}

const TRUE = der(0x01, Buffer.from([0xff]))

/** basicConstraints, critical; `pathLength` 0 to 127, and no limit where absent. */
export function basicConstraints(authority: boolean, pathLength?: number): Buffer {
  const limit = pathLength === undefined ? [] : [unsigned(Buffer.from([pathLength]))]
  return extension('2.5.29.19', true, sequence(...(authority ? [TRUE, ...limit] : [])))
}

/** Bits of keyUsage, §4.2.1.3. */
const KEY_USAGE = { digitalSignature: 0, keyEncipherment: 2, keyCertSign: 5, cRLSign: 6 } as const

/** keyUsage, critical. DER has no bits after the last that is set (X.690 §11.2.2). */
export function keyUsage(...names: readonly (keyof typeof KEY_USAGE)[]): Buffer {
  const bits: readonly number[] = names.map((name) => KEY_USAGE[name])
  const octet = bits.reduce((sum, bit) => sum | (0x80 >> bit), 0)
  return extension('2.5.29.15', true, der(0x03, Buffer.from([7 - Math.max(...bits), octet])))
}

/** Purposes of §4.2.1.12. */
export const PURPOSE = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2' } as const

/** extKeyUsage of object identifiers. */
export function extendedKeyUsage(purposes: readonly string[]): Buffer {
  return extension('2.5.29.37', false, sequence(...purposes.map(oid)))
}

export function subjectKeyIdentifier(identifier: Buffer): Buffer {
  return extension('2.5.29.14', false, octetString(identifier))
}

export function authorityKeyIdentifier(identifier: Buffer): Buffer {
  return extension('2.5.29.35', false, sequence(der(0x80, identifier)))
}

/** subjectAltName of encoded GeneralNames, not critical, as beside a subject (§4.2.1.6). */
export function alternativeNames(names: readonly Buffer[]): Buffer {
  return extension('2.5.29.17', false, sequence(...names))
}

/** nameConstraints with permitted subtrees only, critical (§4.2.1.10). */
export function permittedNames(names: readonly Buffer[]): Buffer {
  return extension('2.5.29.30', true, sequence(context(0, ...names.map((name) => sequence(name)))))
}

/** cRLDistributionPoints of one URI (§4.2.1.13). */
export function crlDistributionPoint(uri: Buffer): Buffer {
  return extension('2.5.29.31', false, sequence(sequence(context(0, context(0, uri)))))
}

/** The TLS feature status_request, RFC 7633 §4: a handshake without a stapled OCSP response is to be refused. */
export function mustStaple(): Buffer {
  return extension(TLS_FEATURE, false, sequence(unsigned(Buffer.from([5]))))
}

/** The extension of RFC 7633. */
export const TLS_FEATURE = '1.3.6.1.5.5.7.1.24'
