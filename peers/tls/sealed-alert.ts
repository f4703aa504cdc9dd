/**
 * An alert as a TLS 1.3 server sends it once the handshake is over: encrypted under its application traffic secret (RFC 8446
 * §5.2, §7.3). Pure. For refusals that OpenSSL leaves to the application and gives it no alert for.
 */
import { createCipheriv, createHmac } from 'node:crypto'

interface Suite {
  readonly cipher: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305'
  readonly keyLength: number
  readonly hash: 'sha256' | 'sha384'
}

/** RFC 8446 appendix B.4, the suites that OpenSSL offers. */
const SUITES: Readonly<Record<string, Suite>> = {
  TLS_AES_128_GCM_SHA256: { cipher: 'aes-128-gcm', keyLength: 16, hash: 'sha256' },
  TLS_AES_256_GCM_SHA384: { cipher: 'aes-256-gcm', keyLength: 32, hash: 'sha384' },
  TLS_CHACHA20_POLY1305_SHA256: { cipher: 'chacha20-poly1305', keyLength: 32, hash: 'sha256' },
}

const FATAL = 2
const ALERT = 21
const TAG_LENGTH = 16

/**
 * The record of a fatal alert that is the first under `secret`: nothing may have been sent under it before.
 *
 * @param suite IANA name of the session's cipher suite.
 * @throws {RangeError} on a suite that is none of TLS 1.3's.
 */
export function sealedAlert(suite: string, secret: Buffer, description: number): Buffer {
  const found = SUITES[suite]
  if (found === undefined) throw new RangeError(`${suite} is no cipher suite of TLS 1.3 that badmx knows`)
  const key = expandLabel(found.hash, secret, 'key', found.keyLength)
  // The sequence number is 0, so that the nonce is the IV (RFC 8446 §5.3).
  const nonce = expandLabel(found.hash, secret, 'iv', 12)
  const inner = Buffer.from([FATAL, description, ALERT])
  const header = Buffer.from([23, 3, 3, 0, inner.length + TAG_LENGTH])
  // One call for three ciphers: the types want the overload of one.
  const sealing = createCipheriv(found.cipher as 'aes-128-gcm', key, nonce, { authTagLength: TAG_LENGTH })
  sealing.setAAD(header, { plaintextLength: inner.length })
  return Buffer.concat([header, sealing.update(inner), sealing.final(), sealing.getAuthTag()])
}

/** HKDF-Expand-Label with an empty context, of at most one block (RFC 8446 §7.1, RFC 5869 §2.3). */
function expandLabel(hash: Suite['hash'], secret: Buffer, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`, 'latin1')
  const info = Buffer.concat([Buffer.from([0, length, name.length]), name, Buffer.from([0, 1])])
  return createHmac(hash, secret).update(info).digest().subarray(0, length)
}
