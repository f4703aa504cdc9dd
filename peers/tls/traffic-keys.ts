/**
 * The record protection of TLS 1.3 under an application traffic secret (RFC 8446 §5.2, §5.3, §7.3): what lets a layer read what a
 * server sends, say more, and number all that follows anew. Pure.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'

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

const APPLICATION_DATA = 23
const HEADER = 5
const TAG_LENGTH = 16
const IV_LENGTH = 12

/** The content of a record and its true type. */
export interface InnerRecord {
  readonly type: number
  readonly content: Buffer
}

export class TrafficKeys {
  private readonly suite: Suite
  private readonly secret: Buffer
  private readonly key: Buffer
  private readonly iv: Buffer
  private sequence = 0n

  /**
   * The keys of the first record under `secret`.
   *
   * @param name IANA name of the session's cipher suite.
   * @throws {RangeError} on a suite that is none of TLS 1.3's.
   */
  constructor(name: string, secret: Buffer) {
    const suite = SUITES[name]
    if (suite === undefined) throw new RangeError(`${name} is no cipher suite of TLS 1.3 that badmx knows`)
    this.suite = suite
    this.secret = secret
    this.key = expandLabel(suite.hash, secret, 'key', suite.keyLength)
    this.iv = expandLabel(suite.hash, secret, 'iv', IV_LENGTH)
  }

  /** The secret that a KeyUpdate leads to, RFC 8446 §7.2. */
  get updatedSecret(): Buffer {
    return expandLabel(this.suite.hash, this.secret, 'traffic upd', this.secret.length)
  }

  /** The next record. */
  seal(type: number, content: Buffer): Buffer {
    const length = content.length + 1 + TAG_LENGTH
    const header = Buffer.from([APPLICATION_DATA, 3, 3, length >> 8, length & 255])
    // One call for three ciphers: the types want the overload of one.
    const cipher = this.suite.cipher as 'aes-128-gcm'
    const sealing = createCipheriv(cipher, this.key, this.nonce(), { authTagLength: TAG_LENGTH })
    sealing.setAAD(header, { plaintextLength: content.length + 1 })
    const parts = [header, sealing.update(content), sealing.update(Buffer.from([type])), sealing.final()]
    return Buffer.concat([...parts, sealing.getAuthTag()])
  }

  /** A whole record, the next one; undefined for one that these keys have not sealed. */
  open(record: Buffer): InnerRecord | undefined {
    const end = record.length - TAG_LENGTH
    if (end <= HEADER) return undefined
    const cipher = this.suite.cipher as 'aes-128-gcm'
    const opening = createDecipheriv(cipher, this.key, this.nonce(), { authTagLength: TAG_LENGTH })
    opening.setAAD(record.subarray(0, HEADER), { plaintextLength: end - HEADER })
    opening.setAuthTag(record.subarray(end))
    const plain = opening.update(record.subarray(HEADER, end))
    try {
      opening.final()
    } catch {
      return undefined
    }
    // Behind the type there may be zeros.
    let last = plain.length - 1
    while (last > 0 && plain[last] === 0) last -= 1
    return { type: plain[last] ?? 0, content: plain.subarray(0, last) }
  }

  private nonce(): Buffer {
    const nonce = Buffer.from(this.iv)
    nonce.writeBigUInt64BE(nonce.readBigUInt64BE(IV_LENGTH - 8) ^ this.sequence++, IV_LENGTH - 8)
    return nonce
  }
}

/** HKDF-Expand-Label with an empty context, of at most one block (RFC 8446 §7.1, RFC 5869 §2.3). */
function expandLabel(hash: Suite['hash'], secret: Buffer, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`, 'latin1')
  const info = Buffer.concat([Buffer.from([0, length, name.length]), name, Buffer.from([0, 1])])
  return createHmac(hash, secret).update(info).digest().subarray(0, length)
}
