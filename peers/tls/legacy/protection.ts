/**
 * Protects the records of one direction: MAC and encryption of SSL 3.0 (RFC 6101 §5.2.3), TLS 1.0 (RFC 2246 §6.2.3), TLS 1.1
 * (RFC 4346 §6.2.3) and TLS 1.2 (RFC 5246 §6.2.3, RFC 5288). Pure but for its own state: sequence number and cipher.
 *
 * CBC is one streaming cipher for a direction at every version: TLS 1.1 and later put a random block in front, whose
 * ciphertext is the explicit IV (RFC 4346 §6.2.3.2, second way), and the reader throws the first block away.
 */
import { type Cipher, createCipheriv, createDecipheriv, createHash, createHmac, type Decipher } from 'node:crypto'
import type { DirectionKeys } from './key-schedule.ts'
import { ProtocolError, SSL3, TLS11 } from './protocol.ts'
import { Rc4 } from './rc4.ts'
import type { Bulk, Suite } from './suites.ts'

/** Draws so many octets. */
export type RandomOctets = (length: number) => Buffer

/** What a record holds after protection, and what its padding was. */
export interface Sealed {
  readonly fragment: Buffer
  /** Octets of padding, its length octet included; 0 where the cipher pads nothing. */
  readonly padding: number
  /** Block size of the cipher; 0 where it has none. */
  readonly block: number
}

export interface Protection {
  seal(type: number, fragment: Buffer): Sealed
  /** @throws {ProtocolError} bad_record_mac, or decode_error where the record is too short. */
  open(type: number, fragment: Buffer): Buffer
}

/** Before the first ChangeCipherSpec: TLS_NULL_WITH_NULL_NULL. */
export const UNPROTECTED: Protection = {
  seal: (_type, fragment) => ({ fragment, padding: 0, block: 0 }),
  open: (_type, fragment) => fragment,
}

export function protect(version: number, suite: Suite, keys: DirectionKeys, random: RandomOctets): Protection {
  if (suite.bulk.kind === 'gcm') return new GcmProtection(version, suite.bulk, keys)
  const mac = macOf(version, suite, keys.mac)
  if (suite.bulk.kind === 'cbc') return new CbcProtection(version, suite.bulk, keys, mac, random)
  const cipher = suite.bulk.kind === 'stream' ? [new Rc4(keys.key)] : []
  return new StreamProtection(mac, cipher)
}

/** The MAC over a record, counting records. */
interface RecordMac {
  readonly length: number
  next(type: number, fragment: Buffer): Buffer
}

function macOf(version: number, { mac = 'sha1' }: Suite, secret: Buffer): RecordMac {
  let sequence = 0n
  const header = Buffer.alloc(13)
  const next = (type: number, fragment: Buffer): Buffer => {
    header.writeBigUInt64BE(sequence++, 0)
    header[8] = type
    if (version === SSL3) {
      header.writeUInt16BE(fragment.length, 9)
      return sslMac(mac, secret, header.subarray(0, 11), fragment)
    }
    header.writeUInt16BE(version, 9)
    header.writeUInt16BE(fragment.length, 11)
    return createHmac(mac, secret).update(header).update(fragment).digest()
  }
  return { length: secret.length, next }
}

function sslMac(algorithm: string, secret: Buffer, header: Buffer, fragment: Buffer): Buffer {
  const size = algorithm === 'md5' ? 48 : 40
  const inner = createHash(algorithm).update(secret).update(Buffer.alloc(size, 0x36)).update(header).update(fragment)
  return createHash(algorithm).update(secret).update(Buffer.alloc(size, 0x5c)).update(inner.digest()).digest()
}

/** Cuts the MAC off and compares it. */
function checked(mac: RecordMac, type: number, plain: Buffer): Buffer {
  if (plain.length < mac.length) throw new ProtocolError('bad_record_mac', 'a record that is shorter than its MAC')
  const fragment = plain.subarray(0, plain.length - mac.length)
  if (!mac.next(type, fragment).equals(plain.subarray(fragment.length)))
    throw new ProtocolError('bad_record_mac', 'the MAC of a record is wrong')
  return fragment
}

/** RC4, or with no cipher at all NULL. */
class StreamProtection implements Protection {
  private readonly mac: RecordMac
  private readonly cipher: readonly Rc4[]

  constructor(mac: RecordMac, cipher: readonly Rc4[]) {
    this.mac = mac
    this.cipher = cipher
  }

  seal(type: number, fragment: Buffer): Sealed {
    const plain = Buffer.concat([fragment, this.mac.next(type, fragment)])
    return { fragment: this.apply(plain), padding: 0, block: 0 }
  }

  open(type: number, fragment: Buffer): Buffer {
    return checked(this.mac, type, this.apply(fragment))
  }

  private apply(octets: Buffer): Buffer {
    return this.cipher[0]?.update(octets) ?? octets
  }
}

class CbcProtection implements Protection {
  private readonly version: number
  private readonly block: number
  private readonly mac: RecordMac
  private readonly random: RandomOctets
  private readonly make: { readonly cipher: () => Cipher; readonly decipher: () => Decipher }
  private cipher: Cipher | undefined
  private decipher: Decipher | undefined

  constructor(version: number, bulk: Bulk, keys: DirectionKeys, mac: RecordMac, random: RandomOctets) {
    this.version = version
    this.block = bulk.iv
    this.mac = mac
    this.random = random
    // Single DES is triple DES with one key three times.
    const key = keys.key.length === 8 ? Buffer.concat([keys.key, keys.key, keys.key]) : keys.key
    this.make = {
      cipher: () => createCipheriv(bulk.algorithm, key, keys.iv).setAutoPadding(false) as Cipher,
      decipher: () => createDecipheriv(bulk.algorithm, key, keys.iv).setAutoPadding(false) as Decipher,
    }
  }

  seal(type: number, fragment: Buffer): Sealed {
    const { block, version } = this
    this.cipher ??= this.make.cipher()
    const mac = this.mac.next(type, fragment)
    const padding = block - ((fragment.length + mac.length) % block)
    const pad = Buffer.alloc(padding, padding - 1)
    const first = version >= TLS11 ? [this.random(block)] : []
    return { fragment: this.cipher.update(Buffer.concat([...first, fragment, mac, pad])), padding, block }
  }

  open(type: number, fragment: Buffer): Buffer {
    const { block, version, mac } = this
    const explicit = version >= TLS11 ? block : 0
    if (fragment.length % block !== 0 || fragment.length < explicit + block)
      throw new ProtocolError('bad_record_mac', `a record of ${fragment.length} octets with blocks of ${block}`)
    this.decipher ??= this.make.decipher()
    const plain = this.decipher.update(fragment).subarray(explicit)
    const padding = (plain.at(-1) as number) + 1
    // SSL 3.0 leaves the content of the padding open, RFC 6101 §5.2.3.2: POODLE, CVE-2014-3566.
    const sound =
      padding + mac.length <= plain.length &&
      (version === SSL3
        ? padding <= block
        : plain.subarray(plain.length - padding).every((octet) => octet === padding - 1))
    if (!sound) throw new ProtocolError('bad_record_mac', 'the padding of a record is wrong')
    return checked(mac, type, plain.subarray(0, plain.length - padding))
  }
}

const TAG = 16
const EXPLICIT_NONCE = 8

/** AES-GCM, RFC 5288: the sequence number is the explicit part of the nonce. */
class GcmProtection implements Protection {
  private readonly version: number
  private readonly algorithm: 'aes-128-gcm' | 'aes-256-gcm'
  private readonly keys: DirectionKeys
  private sequence = 0n

  constructor(version: number, bulk: Bulk, keys: DirectionKeys) {
    this.version = version
    this.algorithm = bulk.algorithm as 'aes-128-gcm' | 'aes-256-gcm'
    this.keys = keys
  }

  /** Sequence number, type, version and length: what is authenticated beside the content. */
  private header(type: number, length: number): Buffer {
    const header = Buffer.alloc(13)
    header.writeBigUInt64BE(this.sequence++, 0)
    header[8] = type
    header.writeUInt16BE(this.version, 9)
    header.writeUInt16BE(length, 11)
    return header
  }

  seal(type: number, fragment: Buffer): Sealed {
    const header = this.header(type, fragment.length)
    const nonce = header.subarray(0, EXPLICIT_NONCE)
    const cipher = createCipheriv(this.algorithm, this.keys.key, Buffer.concat([this.keys.iv, nonce]))
    cipher.setAAD(header)
    const parts = [nonce, cipher.update(fragment), cipher.final(), cipher.getAuthTag()]
    return { fragment: Buffer.concat(parts), padding: 0, block: 0 }
  }

  open(type: number, fragment: Buffer): Buffer {
    const length = fragment.length - EXPLICIT_NONCE - TAG
    if (length < 0) throw new ProtocolError('bad_record_mac', 'a record that is shorter than its tag')
    const nonce = Buffer.concat([this.keys.iv, fragment.subarray(0, EXPLICIT_NONCE)])
    const decipher = createDecipheriv(this.algorithm, this.keys.key, nonce)
    decipher.setAAD(this.header(type, length))
    decipher.setAuthTag(fragment.subarray(fragment.length - TAG))
    const plain = decipher.update(fragment.subarray(EXPLICIT_NONCE, EXPLICIT_NONCE + length))
    try {
      decipher.final()
    } catch {
      throw new ProtocolError('bad_record_mac', 'the tag of a record is wrong')
    }
    return plain
  }
}
