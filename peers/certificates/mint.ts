/**
 * Makes keys and certificates: P-256, ECDSA with SHA-256, X.509 v3 (RFC 5280 §4.1).
 *
 * Every certificate gets the two key identifiers. Serial numbers and dates come from the caller: no clock here.
 */
import { createHash, KeyObject, sign, webcrypto } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  type JsonName,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { bitString, context, sequence } from './der.ts'
import { expect, readElement, readInside } from './der-reader.ts'
import type { CertificateRequest, Key } from './fault.ts'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const

export async function mintKey(): Promise<Key> {
  const pair = (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
  return {
    signing: pair.privateKey,
    spki: KeyObject.from(pair.publicKey).export({ type: 'spki', format: 'der' }),
    pem: KeyObject.from(pair.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** The certificate that `request` asks for, DER. `serial` is 1 to 20 octets in hexadecimal, positive. */
export async function mintCertificate(request: CertificateRequest, serial: string): Promise<Buffer> {
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: serial,
      subject: request.subject,
      issuer: request.issuer.subject,
      notBefore: request.from,
      notAfter: request.until,
      publicKey: request.spki,
      signingKey: request.issuer.key.signing,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [
        ...request.extensions,
        new SubjectKeyIdentifierExtension(keyIdentifier(request.spki)),
        new AuthorityKeyIdentifierExtension(keyIdentifier(request.issuer.key.spki)),
      ],
    },
    webcrypto,
  )
  return Buffer.from(certificate.rawData)
}

/**
 * The same certificate with one more extension (DER of an Extension), signed again. For extensions larger than the
 * library agrees to read.
 */
export function withExtension(certificate: Buffer, extension: Buffer, issuer: Key): Buffer {
  const [tbs, algorithm] = readInside(readElement(certificate), 0x30, 'certificate')
  const parts = readInside(tbs, 0x30, 'tbsCertificate')
  const extensions = readInside(parts.pop(), 0xa3, 'extensions')[0]
  const all = sequence(expect(extensions, 0x30, 'extensions').content, extension)
  const changed = sequence(...parts.map(({ bytes }) => bytes), context(3, all))
  const signature = sign('sha256', changed, KeyObject.from(issuer.signing))
  return sequence(changed, expect(algorithm, 0x30, 'algorithm').bytes, bitString(signature))
}

/** 160 bits of a hash of the key, RFC 7093 §2, hexadecimal. */
function keyIdentifier(spki: Buffer): string {
  return createHash('sha256').update(spki).digest('hex').slice(0, 40)
}

/** A name of organization and common name. */
export function distinguishedName(commonName: string): JsonName {
  return [{ O: ['badmx test'] }, { CN: [commonName] }]
}
