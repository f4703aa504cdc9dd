/**
 * Signs the record sets of one zone with one key that is both key- and zone-signing (RFC 4034 §3, RFC 6781 §3.1), when
 * they are first asked for, and keeps the signatures.
 */
import { createHash } from 'node:crypto'
import type { ResourceRecord } from '../message.ts'
import { canonical, countLabels, type Name, wireName } from '../name.ts'
import { CLASS, TYPE } from '../numbers.ts'
import { canonicalRdata, fieldsOf, type Rdata, rdata } from '../rdata.ts'
import type { SigningKey } from './algorithms.ts'

/** Records of one name, class and type; at least one. */
export type RecordSet = readonly ResourceRecord[]

/** Seconds since 1970: from when until when a signature holds. */
export interface Validity {
  readonly inception: number
  readonly expiration: number
}

/** DNSKEY flags: a zone key that is a secure entry point (RFC 4034 §2.1.1). */
const FLAGS = 257
/** RFC 4509. */
const SHA256_DIGEST = 2

export class Signer {
  readonly apex: Name
  readonly validity: Validity
  private readonly key: SigningKey
  private readonly made = new WeakMap<RecordSet, ResourceRecord>()

  constructor(apex: Name, key: SigningKey, validity: Validity) {
    this.apex = apex
    this.key = key
    this.validity = validity
  }

  get algorithm(): number {
    return this.key.algorithm
  }

  /** The data of the zone's one DNSKEY record. */
  get dnskey(): Buffer {
    const { algorithm, publicKey } = this.key
    return rdata('DNSKEY', { flags: FLAGS, protocol: 3, algorithm, key: publicKey })
  }

  /** The data of the DS record that the parent has. */
  get ds(): Buffer {
    const { dnskey } = this
    const digest = digestOf(this.apex, dnskey)
    return rdata('DS', { keyTag: keyTag(dnskey), algorithm: this.algorithm, digestType: SHA256_DIGEST, digest })
  }

  /** The RRSIG of a set; the same record each time for the same array. */
  signature(set: RecordSet): ResourceRecord {
    const known = this.made.get(set)
    if (known !== undefined) return known
    const made = this.sign(set, this.validity)
    this.made.set(set, made)
    return made
  }

  /** A fresh RRSIG of a set, with dates of its own. */
  sign(set: RecordSet, { inception, expiration }: Validity): ResourceRecord {
    const [first] = set
    if (first === undefined) throw new Error('an empty set cannot be signed')
    const fields: Rdata<'RRSIG'> = {
      typeCovered: first.type,
      algorithm: this.key.algorithm,
      labels: labelsSigned(first.name),
      originalTtl: first.ttl,
      expiration,
      inception,
      keyTag: keyTag(this.dnskey),
      signer: this.apex,
      signature: Buffer.alloc(0),
    }
    const signature = this.key.sign(signedOctets(fields, set, first.name))
    const data = rdata('RRSIG', { ...fields, signature })
    return { name: first.name, type: TYPE.RRSIG, class: first.class, ttl: first.ttl, data }
  }
}

/**
 * What a signature is over (RFC 4034 §3.1.8.1): `owner` is the name as it was signed, a wildcard's for what it stands
 * for.
 */
export function signedOctets(signature: Rdata<'RRSIG'>, set: RecordSet, owner: Name): Buffer {
  const name = wireName(canonical(owner))
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(signature.typeCovered, 0)
  fixed.writeUInt16BE(CLASS.IN, 2)
  fixed.writeUInt32BE(signature.originalTtl, 4)
  const data = set.map((each) => canonicalRdata(each.type, each.data)).sort(Buffer.compare)
  const records = data.flatMap((each) => {
    const head = Buffer.from(fixed)
    head.writeUInt16BE(each.length, 8)
    return [name, head, each]
  })
  const unsigned = rdata('RRSIG', { ...signature, signer: canonical(signature.signer), signature: Buffer.alloc(0) })
  return Buffer.concat([unsigned, ...records])
}

/** The Labels field: neither the root's nor a wildcard's `*` counts (RFC 4034 §3.1.3). */
export function labelsSigned(name: Name): number {
  return countLabels(name) - (name === '*' || name.startsWith('*.') ? 1 : 0)
}

/** RFC 4034 appendix B. */
export function keyTag(dnskey: Buffer): number {
  let sum = 0
  for (const [at, octet] of dnskey.entries()) sum += at % 2 === 0 ? octet << 8 : octet
  return (sum + (sum >>> 16)) & 0xffff
}

/** The SHA-256 digest of a DS record (RFC 4034 §5.1.4). */
export function digestOf(owner: Name, dnskey: Buffer): Buffer {
  return createHash('sha256')
    .update(wireName(canonical(owner)))
    .update(dnskey)
    .digest()
}

/** Whether a DS record is that of a DNSKEY. False for digests other than SHA-256. */
export function isDsOf(ds: Buffer, owner: Name, dnskey: Buffer): boolean {
  const { keyTag: tag, algorithm, digestType, digest } = fieldsOf('DS', ds)
  return (
    digestType === SHA256_DIGEST &&
    algorithm === fieldsOf('DNSKEY', dnskey).algorithm &&
    tag === keyTag(dnskey) &&
    digest.equals(digestOf(owner, dnskey))
  )
}
