/** TLSA records (RFC 6698 §2) made of certificates. */
import { createHash } from 'node:crypto'
import { expect, readElement, readInside } from '../certificates/der-reader.ts'
import type { ResourceRecord } from './message.ts'
import { record } from './zone.ts'

/** The numbers as they stand in the record, so that unassigned ones can be published too: 0 to 255 each. */
export interface TlsaParameters {
  /** 0 PKIX-TA, 1 PKIX-EE, 2 DANE-TA, 3 DANE-EE (RFC 7218). */
  readonly usage: number
  /** 0 the whole certificate, 1 its public key. Anything else is taken as 0. */
  readonly selector: number
  /** 0 in full, 1 SHA-256, 2 SHA-512. Anything else is taken as 0. */
  readonly matchingType: number
}

/**
 * The certificate association data for a certificate.
 *
 * @param certificate DER.
 * @throws {DerError} where a public key is asked for, of octets that are no certificate.
 */
export function associationOf(certificate: Buffer, { selector, matchingType }: TlsaParameters): Buffer {
  const selected = selector === 1 ? publicKeyOf(certificate) : certificate
  const digest = matchingType === 1 ? 'sha256' : matchingType === 2 ? 'sha512' : undefined
  return digest === undefined ? selected : createHash(digest).update(selected).digest()
}

/** The TLSA record of a service: `_25._tcp.<host>` for port 25. */
export function tlsaRecord(
  host: string,
  certificate: Buffer,
  parameters: TlsaParameters,
  { port = 25, ttl = 300 }: { readonly port?: number; readonly ttl?: number } = {},
): ResourceRecord {
  const association = associationOf(certificate, parameters)
  return record(`_${port}._tcp.${host}`, 'TLSA', { ...parameters, association }, ttl)
}

/**
 * SubjectPublicKeyInfo as it stands in the certificate (RFC 6698 §1.3), whatever its encoding: nothing is encoded anew.
 */
function publicKeyOf(certificate: Buffer): Buffer {
  const [tbs] = readInside(readElement(certificate), 0x30, 'certificate')
  const fields = readInside(tbs, 0x30, 'tbsCertificate')
  // The version stands first, and only from version 2 on.
  const at = fields[0]?.tag === 0xa0 ? 6 : 5
  return expect(fields[at], 0x30, 'subjectPublicKeyInfo').bytes
}
