/**
 * Makes keys and certificates: P-256 or RSA, signed with SHA-256 unless a weaker hash is asked for, X.509 v3 (RFC 5280 §4.1).
 *
 * Every certificate gets the two key identifiers. Serial numbers and dates come from the caller: no clock here.
 */
import { createHash, generateKeyPair, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import { bitString, context, der, oid, sequence, time, unsigned } from './der.ts'
import { authorityKeyIdentifier, subjectKeyIdentifier } from './extensions.ts'
import type { CertificateRequest, Key, WeakDigest } from './fault.ts'

/** An ECDSA key on P-256. */
export function mintKey(): Key {
  return keyOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
}

/** An RSA key; 2048 bits take a quarter of a second. */
export async function mintRsaKey(bits: number): Promise<Key> {
  return keyOf(await promisify(generateKeyPair)('rsa', { modulusLength: bits }))
}

function keyOf({ privateKey, publicKey }: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }): Key {
  return {
    signing: privateKey,
    spki: publicKey.export({ type: 'spki', format: 'der' }),
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** The certificate that `request` asks for, DER. `serial` is 1 to 20 octets, positive. */
export function mintCertificate(request: CertificateRequest, serial: Buffer): Buffer {
  const { issuer, digest = 'sha256' } = request
  const extensions = [
    ...request.extensions,
    subjectKeyIdentifier(keyIdentifier(request.spki)),
    authorityKeyIdentifier(keyIdentifier(issuer.key.spki)),
  ]
  return signed(issuer.key, digest, (algorithm) =>
    sequence(
      context(0, unsigned(Buffer.from([2]))),
      unsigned(serial),
      algorithm,
      issuer.subject,
      sequence(time(request.from), time(request.until)),
      request.subject,
      request.spki,
      context(3, sequence(...extensions)),
    ),
  )
}

const NULL = Buffer.from([5, 0])

/** RFC 3279 §2.2.1, RFC 4055 §5, RFC 5758 §3.2. */
const ALGORITHMS = {
  ec: { sha256: sequence(oid('1.2.840.10045.4.3.2')) },
  rsa: {
    md5: sequence(oid('1.2.840.113549.1.1.4'), NULL),
    sha1: sequence(oid('1.2.840.113549.1.1.5'), NULL),
    sha256: sequence(oid('1.2.840.113549.1.1.11'), NULL),
  },
} as const

/** What a certificate, a CRL and an OCSP response have in common: content, which may name the algorithm, algorithm, signature. */
export function signed(
  { signing }: Key,
  digest: WeakDigest | 'sha256',
  contentWith: (algorithm: Buffer) => Buffer,
): Buffer {
  const known: Partial<Record<WeakDigest | 'sha256', Buffer>> =
    signing.asymmetricKeyType === 'rsa' ? ALGORITHMS.rsa : ALGORITHMS.ec
  const algorithm = known[digest]
  if (algorithm === undefined) throw new Error(`an ${signing.asymmetricKeyType} key signs nothing with ${digest} here`)
  const content = contentWith(algorithm)
  return sequence(content, algorithm, bitString(sign(digest, content, signing)))
}

/** 160 bits of a hash of the key, RFC 7093 §2. */
function keyIdentifier(spki: Buffer): Buffer {
  return createHash('sha256').update(spki).digest().subarray(0, 20)
}

/** A name of organization and common name, DER. */
export function distinguishedName(commonName: string): Buffer {
  return sequence(attribute(ORGANIZATION, 'badmx test'), attribute(COMMON_NAME, commonName))
}

const ORGANIZATION = '2.5.4.10'
const COMMON_NAME = '2.5.4.3'
const UTF8_STRING = 0x0c

function attribute(type: string, text: string): Buffer {
  return der(0x31, sequence(oid(type), der(UTF8_STRING, Buffer.from(text))))
}
