/**
 * Makes keys and certificates: P-256 or RSA, signed with SHA-256 unless a weaker hash is asked for, X.509 v3 (RFC 5280 §4.1).
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
import { bitString, context, der, oid, sequence } from './der.ts'
import { expect, readElement, readInside } from './der-reader.ts'
import type { CertificateRequest, Key, WeakDigest } from './fault.ts'

const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const
const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: Uint8Array.of(1, 0, 1) } as const

/** An ECDSA key on P-256. */
export function mintKey(): Promise<Key> {
  return keyBy(P256)
}

/** An RSA key; 2048 bits take a quarter of a second. */
export function mintRsaKey(bits: number): Promise<Key> {
  return keyBy({ ...RSA, modulusLength: bits })
}

async function keyBy(algorithm: typeof P256 | (typeof RSA & { readonly modulusLength: number })): Promise<Key> {
  const pair = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
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
      signingAlgorithm: { name: request.issuer.key.signing.algorithm.name, hash: 'SHA-256' },
      extensions: [
        ...request.extensions,
        new SubjectKeyIdentifierExtension(keyIdentifier(request.spki)),
        new AuthorityKeyIdentifierExtension(keyIdentifier(request.issuer.key.spki)),
      ],
    },
    webcrypto,
  )
  const signed = Buffer.from(certificate.rawData)
  return request.digest === undefined ? signed : resigned(signed, request.digest, request.issuer.key)
}

/** md5WithRSAEncryption and sha1WithRSAEncryption, RFC 3279 §2.2.1. */
const WITH_RSA: Readonly<Record<WeakDigest, string>> = { md5: '1.2.840.113549.1.1.4', sha1: '1.2.840.113549.1.1.5' }
const NULL = Buffer.from([5, 0])

/** The same certificate, signed by RSA with another hash: WebCrypto has no MD5. */
function resigned(certificate: Buffer, digest: WeakDigest, issuer: Key): Buffer {
  const [tbs] = readInside(readElement(certificate), 0x30, 'certificate')
  const parts = readInside(tbs, 0x30, 'tbsCertificate').map(({ bytes }) => bytes)
  const algorithm = sequence(oid(WITH_RSA[digest]), NULL)
  parts[SIGNATURE_FIELD] = algorithm
  const changed = sequence(...parts)
  return sequence(changed, algorithm, bitString(sign(digest, changed, KeyObject.from(issuer.signing))))
}

/** Where fields stand in a TBSCertificate of version 3 (RFC 5280 §4.1), behind version and serialNumber. */
const SIGNATURE_FIELD = 2
const ISSUER_FIELD = 3
const SUBJECT_FIELD = 5

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

/** A self-signed ECDSA certificate under another common name, signed anew: where hundreds are wanted. */
export function renamed(certificate: Buffer, commonName: string, key: Key): Buffer {
  const [tbs, algorithm] = readInside(readElement(certificate), 0x30, 'certificate')
  const parts = readInside(tbs, 0x30, 'tbsCertificate').map(({ bytes }) => bytes)
  const name = sequence(
    der(0x31, sequence(oid('2.5.4.10'), der(UTF8_STRING, Buffer.from('badmx test')))),
    der(0x31, sequence(oid('2.5.4.3'), der(UTF8_STRING, Buffer.from(commonName)))),
  )
  parts[ISSUER_FIELD] = name
  parts[SUBJECT_FIELD] = name
  const changed = sequence(...parts)
  const signature = sign('sha256', changed, KeyObject.from(key.signing))
  return sequence(changed, expect(algorithm, 0x30, 'algorithm').bytes, bitString(signature))
}

const UTF8_STRING = 0x0c

/** 160 bits of a hash of the key, RFC 7093 §2, hexadecimal. */
function keyIdentifier(spki: Buffer): string {
  return createHash('sha256').update(spki).digest('hex').slice(0, 40)
}

/** A name of organization and common name. */
export function distinguishedName(commonName: string): JsonName {
  return [{ O: ['badmx test'] }, { CN: [commonName] }]
}
