/** The bodies of the server's handshake messages, and those of the client read: RFC 5246 §7.4, RFC 5077 §3.3. Pure. */
import { type KeyObject, publicDecrypt, verify, X509Certificate } from 'node:crypto'
import { Cursor, uint16, vector } from './cursor.ts'
import { SIGNATURE_ALGORITHMS, signatureHash } from './key-exchange.ts'
import { sslVerifyDigest } from './key-schedule.ts'
import { ProtocolError, SSL3, TLS12 } from './protocol.ts'

export interface ServerHello {
  readonly version: number
  readonly random: Buffer
  readonly sessionId: Buffer
  readonly suite: number
  /** Type and content, in the order of sending. */
  readonly extensions: readonly (readonly [number, Buffer])[]
}

export function serverHelloBody({ version, random, sessionId, suite, extensions }: ServerHello): Buffer {
  const list = extensions.map(([type, content]) => Buffer.concat([uint16(type), vector(2, content)]))
  const withoutThem = [uint16(version), random, vector(1, sessionId), uint16(suite), Buffer.from([0])]
  return Buffer.concat(list.length === 0 ? withoutThem : [...withoutThem, vector(2, Buffer.concat(list))])
}

export function certificateBody(chain: readonly Buffer[]): Buffer {
  return vector(3, Buffer.concat(chain.map((der) => vector(3, der))))
}

/** Certificate types: rsa_sign(1), and from TLS 1.0 on ecdsa_sign(64), RFC 8422 §5.5. */
export function certificateRequestBody(version: number, authorities: readonly Buffer[]): Buffer {
  const types = vector(1, Buffer.from(version === SSL3 ? [1] : [1, 64]))
  const algorithms = version >= TLS12 ? [vector(2, uint16(...SIGNATURE_ALGORITHMS))] : []
  return Buffer.concat([types, ...algorithms, vector(2, Buffer.concat(authorities.map((name) => vector(2, name))))])
}

/** Seconds that the client may keep the ticket. */
const TICKET_LIFETIME = 7200

export function ticketBody(ticket: Buffer): Buffer {
  const lifetime = Buffer.alloc(4)
  lifetime.writeUInt32BE(TICKET_LIFETIME)
  return Buffer.concat([lifetime, vector(2, ticket)])
}

/** The client's chain, DER, leaf first. @throws {ProtocolError} */
export function parseCertificates(body: Buffer): Buffer[] {
  const message = new Cursor(body, 'Certificate')
  const list = new Cursor(message.vector(3), 'Certificate')
  message.end()
  const chain: Buffer[] = []
  while (list.left > 0) chain.push(list.vector(3))
  return chain
}

/**
 * Checks the proof that the client has the key of its certificate, RFC 5246 §7.4.8. `transcript` is every handshake message
 * before it.
 *
 * @throws {ProtocolError} decrypt_error, or bad_certificate where the certificate has no key that can be read.
 */
export function checkCertificateVerify(
  version: number,
  certificate: Buffer,
  body: Buffer,
  transcript: Buffer,
  master: Buffer,
): void {
  const key = publicKeyOf(certificate)
  const type = key.asymmetricKeyType
  if (type !== 'rsa' && (type !== 'ec' || version === SSL3))
    throw new ProtocolError('unsupported_certificate', `a client certificate with a key of type ${type}`)
  const cursor = new Cursor(body, 'CertificateVerify')
  const algorithm = version >= TLS12 ? cursor.number(2) : undefined
  const signature = cursor.vector(2)
  cursor.end()
  if (!proves(version, type, key, algorithm, signature, transcript, master))
    throw new ProtocolError('decrypt_error', 'CertificateVerify: the signature is wrong')
}

function proves(
  version: number,
  type: 'rsa' | 'ec',
  key: KeyObject,
  algorithm: number | undefined,
  signature: Buffer,
  transcript: Buffer,
  master: Buffer,
): boolean {
  if (version === SSL3) return signedDigest(key, signature)?.equals(sslVerifyDigest(transcript, master)) === true
  const hash = algorithm === undefined ? (type === 'rsa' ? 'md5-sha1' : 'sha1') : signatureHash(type, algorithm)
  return hash !== undefined && verify(hash, transcript, key, signature)
}

/** What an RSA signature of SSL 3.0 holds: the two digests and nothing around them. */
function signedDigest(key: KeyObject, signature: Buffer): Buffer | undefined {
  try {
    return publicDecrypt(key, signature)
  } catch {
    return undefined
  }
}

function publicKeyOf(certificate: Buffer): KeyObject {
  try {
    return new X509Certificate(certificate).publicKey
  } catch {
    throw new ProtocolError('bad_certificate', 'a client certificate that cannot be read')
  }
}
