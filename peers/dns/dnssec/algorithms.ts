/**
 * DNSSEC algorithms (RFC 8624): keys out of a seed, signing, verifying. One that nobody knows is among them, on
 * purpose.
 *
 * Keys are made for tests and are no secrets: the same seed and labels give the same key on every machine, so that a
 * resolver's trust anchor outlives the server.
 */
import {
  checkPrimeSync,
  createECDH,
  createHash,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'

/** The numbers of the IANA registry; `UNKNOWN` is not assigned. */
export const ALGORITHM = { RSASHA256: 8, ECDSAP256SHA256: 13, ED25519: 15, UNKNOWN: 100 } as const
export type AlgorithmName = keyof typeof ALGORITHM

export interface SigningKey {
  readonly algorithm: number
  /** As in DNSKEY (RFC 3110 §2, RFC 6605 §4, RFC 8080 §3). */
  readonly publicKey: Buffer
  sign(data: Buffer): Buffer
}

/** The key of these labels. RSA takes a second; the others less than a millisecond. */
export function keyFrom(seed: number, algorithm: AlgorithmName, ...labels: readonly string[]): SigningKey {
  const octets = (length: number, turn: number): Buffer =>
    Buffer.from(hkdfSync('sha256', JSON.stringify([seed, ...labels]), algorithm, `badmx dnssec ${turn}`, length))
  return MAKE[algorithm](octets)
}

type Octets = (length: number, turn: number) => Buffer

const MAKE: { readonly [Name in AlgorithmName]: (octets: Octets) => SigningKey } = {
  ECDSAP256SHA256: p256,
  ED25519: ed25519,
  RSASHA256: rsa,
  UNKNOWN: unknown,
}

/** The order of P-256: a private key is from 1 to it, exclusive. */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

function p256(octets: Octets): SigningKey {
  for (let turn = 0; ; turn++) {
    const scalar = octets(32, turn)
    const value = toBigInt(scalar)
    if (value === 0n || value >= P256_ORDER) continue
    const curve = createECDH('prime256v1')
    curve.setPrivateKey(scalar)
    const point = curve.getPublicKey().subarray(1)
    const jwk = { kty: 'EC', crv: 'P-256', d: scalar.toString('base64url'), ...coordinates(point) }
    const key = createPrivateKey({ key: jwk, format: 'jwk' })
    return {
      algorithm: ALGORITHM.ECDSAP256SHA256,
      publicKey: point,
      sign: (data) => sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }),
    }
  }
}

function ed25519(octets: Octets): SigningKey {
  // RFC 8410 §7: the octets before the key in PKCS #8.
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), octets(32, 0)])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' })
  return {
    algorithm: ALGORITHM.ED25519,
    publicKey: Buffer.from(x, 'base64url'),
    sign: (data) => sign(null, data, key),
  }
}

const RSA_EXPONENT = 65537n
/** Octets of each of the two primes: a modulus of 2,048 bits, the least that today's policies take. */
const PRIME_OCTETS = 128

function rsa(octets: Octets): SigningKey {
  const first = prime(octets, 0)
  const second = prime(octets, 1)
  const [p, q] = first > second ? [first, second] : [second, first]
  const d = inverse(RSA_EXPONENT, (p - 1n) * (q - 1n))
  const parts = { n: p * q, e: RSA_EXPONENT, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) }
  const jwk = Object.fromEntries(
    Object.entries(parts).map(([name, value]) => [name, fromBigInt(value).toString('base64url')]),
  )
  const key = createPrivateKey({ key: { kty: 'RSA', ...jwk }, format: 'jwk' })
  return {
    algorithm: ALGORITHM.RSASHA256,
    publicKey: Buffer.concat([Buffer.from([3, 1, 0, 1]), fromBigInt(parts.n)]),
    sign: (data) => sign('sha256', data, key),
  }
}

/**
 * The first prime from a drawn odd number on whose predecessor the exponent does not divide; its two highest bits are
 * set.
 */
function prime(octets: Octets, turn: number): bigint {
  const start = octets(PRIME_OCTETS, turn)
  start[0] = (start[0] ?? 0) | 0xc0
  let candidate = toBigInt(start) | 1n
  while ((candidate - 1n) % RSA_EXPONENT === 0n || !checkPrimeSync(candidate)) candidate += 2n
  return candidate
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n]
  while (a > 1n) {
    const quotient = a / b
    ;[a, b] = [b, a % b]
    ;[x, y] = [y, x - quotient * y]
  }
  return x < 0n ? x + modulus : x
}

function unknown(octets: Octets): SigningKey {
  return { algorithm: ALGORITHM.UNKNOWN, publicKey: octets(64, 0), sign: () => octets(64, 1) }
}

/** Whether {@link verifySignature} can tell. */
export function isSupported(algorithm: number): boolean {
  return READERS.has(algorithm)
}

/** Whether a signature holds. False, too, for a key that cannot be read. */
export function verifySignature(algorithm: number, publicKey: Buffer, data: Buffer, signature: Buffer): boolean {
  const asked = createHash('sha256')
  for (const part of [Buffer.from([algorithm]), publicKey, signature, data]) asked.update(length(part)).update(part)
  return remember(verified, asked.digest('base64'), () => verifyNow(algorithm, publicKey, data, signature))
}

/** Elliptic curves cost half a millisecond, and a resolver that keeps no answers sees the same sets again and again. */
const verified = new Map<string, boolean>()
const keys = new Map<string, KeyObject | undefined>()
/** Entries of each before they are forgotten, all at once. */
const MOST_REMEMBERED = 20_000

function remember<Value>(known: Map<string, Value>, name: string, make: () => Value): Value {
  const old = known.get(name)
  if (old !== undefined) return old
  if (known.size >= MOST_REMEMBERED) known.clear()
  const made = make()
  known.set(name, made)
  return made
}

function length(part: Buffer): Buffer {
  const octets = Buffer.alloc(4)
  octets.writeUInt32BE(part.length)
  return octets
}

function verifyNow(algorithm: number, publicKey: Buffer, data: Buffer, signature: Buffer): boolean {
  try {
    const name = `${algorithm} ${publicKey.toString('latin1')}`
    const key = remember(keys, name, () => READERS.get(algorithm)?.(publicKey))
    if (key === undefined) return false
    if (algorithm === ALGORITHM.ED25519) return verify(null, data, key, signature)
    if (algorithm === ALGORITHM.RSASHA256) return verify('sha256', data, key, signature)
    return verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature)
  } catch {
    // OpenSSL refuses a point that is not on its curve, or a modulus of no length, by throwing.
    return false
  }
}

const READERS: ReadonlyMap<number, (publicKey: Buffer) => KeyObject> = new Map([
  [ALGORITHM.ECDSAP256SHA256, (point: Buffer) => fromJwk({ kty: 'EC', crv: 'P-256', ...coordinates(point) })],
  [ALGORITHM.ED25519, (x: Buffer) => fromJwk({ kty: 'OKP', crv: 'Ed25519', x: x.toString('base64url') })],
  [ALGORITHM.RSASHA256, readRsa],
])

/** RFC 3110 §2: the length of the exponent, in one octet or, after a zero, in two. */
function readRsa(publicKey: Buffer): KeyObject {
  const [first = 0] = publicKey
  const [at, length] = first === 0 ? [3, publicKey.readUInt16BE(1)] : [1, first]
  const [e, n] = [publicKey.subarray(at, at + length), publicKey.subarray(at + length)]
  return fromJwk({ kty: 'RSA', e: e.toString('base64url'), n: n.toString('base64url') })
}

function fromJwk(key: Readonly<Record<string, string>>): KeyObject {
  return createPublicKey({ key, format: 'jwk' })
}

function coordinates(point: Buffer): { readonly x: string; readonly y: string } {
  return { x: point.subarray(0, 32).toString('base64url'), y: point.subarray(32).toString('base64url') }
}

function toBigInt(octets: Buffer): bigint {
  return BigInt(`0x${octets.toString('hex')}`)
}

function fromBigInt(value: bigint): Buffer {
  const hex = value.toString(16)
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
}
