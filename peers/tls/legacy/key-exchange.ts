/**
 * The server's half of a key exchange: what the ServerKeyExchange says, and the premaster secret from the client's answer.
 * RFC 5246 §7.4.3, §7.4.7, §8.1; RFC 8422 §5.4; RFC 6101 §5.6.7.
 */
import {
  constants,
  createECDH,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  privateDecrypt,
  sign,
} from 'node:crypto'
import { Cursor, uint16, vector } from './cursor.ts'
import { type DhBits, dhKey } from './dh-groups.ts'
import { EXPORT_KEY } from './export-key.ts'
import type { Randoms } from './key-schedule.ts'
import type { RandomOctets } from './protection.ts'
import { ProtocolError, SSL3, TLS12 } from './protocol.ts'
import type { Suite } from './suites.ts'

/** Groups of the ECDHE exchanges, RFC 8422 §5.1.1. */
export const GROUPS = { x25519: 29, p256: 23 } as const
export type GroupName = keyof typeof GROUPS

export interface ExchangeContext {
  readonly version: number
  readonly suite: Suite
  /** Of the certificate. */
  readonly key: KeyObject
  readonly dhBits: DhBits
  /** For ECDHE: what client and server have in common. */
  readonly group: GroupName | undefined
  /** Signature algorithms that the client has, RFC 5246 §7.4.1.4.1; empty for those of before TLS 1.2. */
  readonly signatureAlgorithms: readonly number[]
  readonly random: RandomOctets
}

export interface Exchange {
  /** The body of the ServerKeyExchange; none where the certificate's key is all that it needs. */
  readonly serverKeyExchange: Buffer | undefined
  /** From the body of the ClientKeyExchange. `offered` is the version that the client named in its hello. */
  premaster(clientKeyExchange: Buffer, offered: number): Buffer
}

export function exchangeFor(context: ExchangeContext, randoms: Randoms): Exchange {
  const { suite, key } = context
  switch (suite.exchange) {
    case 'RSA':
      return rsaExchange(context, key, undefined)
    case 'RSA_EXPORT':
      return rsaExchange(context, EXPORT_KEY, signed(context, randoms, rsaParameters(EXPORT_KEY)))
    case 'DHE_RSA':
    case 'DH_anon':
      return dhExchange(context, randoms)
    default:
      return context.group === 'x25519' ? x25519Exchange(context, randoms) : ecdhExchange(context, randoms)
  }
}

/** A premaster secret that is no good is replaced by a random one: the failure shows at Finished, RFC 5246 §7.4.7.1. */
function rsaExchange({ version, random }: ExchangeContext, key: KeyObject, message: Buffer | undefined): Exchange {
  return {
    serverKeyExchange: message,
    premaster(body, offered) {
      // SSL 3.0 has no length in front.
      const encrypted = version === SSL3 ? body : new Cursor(body, 'ClientKeyExchange').vector(2)
      const substitute = random(48)
      const padded = decrypted(key, encrypted)
      const zero = padded?.indexOf(0, 2) ?? -1
      const premaster = padded?.subarray(zero + 1)
      const sound = padded !== undefined && padded[0] === 0 && padded[1] === 2 && zero >= 10 && premaster?.length === 48
      if (!sound || premaster === undefined || premaster.readUInt16BE(0) !== offered) return substitute
      return premaster
    },
  }
}

/** With its PKCS #1 padding: Node refuses to take that off for fear of Bleichenbacher's attack (CVE-2023-46809). */
function decrypted(key: KeyObject, encrypted: Buffer): Buffer | undefined {
  try {
    return privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, encrypted)
  } catch {
    return undefined
  }
}

/** The temporary key of export suites, RFC 2246 §7.4.3. */
function rsaParameters(key: KeyObject): Buffer {
  const { n = '', e = '' } = createPublicKey(key).export({ format: 'jwk' })
  return Buffer.concat([n, e].map((number) => vector(2, Buffer.from(number, 'base64url'))))
}

function dhExchange(context: ExchangeContext, randoms: Randoms): Exchange {
  const secret = context.random(32)
  // Below the smallest prime, and not 0.
  secret[31] = (secret[31] as number) | 1
  const { prime, generator, share, agree } = dhKey(context.dhBits, secret)
  const parameters = Buffer.concat([prime, generator, share].map((number) => vector(2, number)))
  return {
    serverKeyExchange: signed(context, randoms, parameters),
    premaster(body) {
      const other = new Cursor(body, 'ClientKeyExchange').vector(2)
      return withoutLeadingZeros(agreed(() => agree(other), 'Diffie-Hellman'))
    },
  }
}

/** RFC 5246 §8.1.2. */
function withoutLeadingZeros(secret: Buffer): Buffer {
  const first = secret.findIndex((octet) => octet !== 0)
  return first === -1 ? secret.subarray(secret.length) : secret.subarray(first)
}

function agreed(compute: () => Buffer, what: string): Buffer {
  try {
    return compute()
  } catch {
    throw new ProtocolError('illegal_parameter', `ClientKeyExchange: no ${what} share of the group`)
  }
}

/** named_curve(3), the group, and the share, RFC 8422 §5.4. */
function ecParameters(group: GroupName, share: Buffer): Buffer {
  return Buffer.concat([Buffer.from([3]), uint16(GROUPS[group]), vector(1, share)])
}

function ecdhExchange(context: ExchangeContext, randoms: Randoms): Exchange {
  const ecdh = createECDH('prime256v1')
  const secret = context.random(32)
  // Below the order of the group, and not 0.
  secret[0] = (secret[0] as number) & 0x7f
  secret[31] = (secret[31] as number) | 1
  ecdh.setPrivateKey(secret)
  return {
    serverKeyExchange: signed(context, randoms, ecParameters('p256', ecdh.getPublicKey())),
    premaster(body) {
      const other = new Cursor(body, 'ClientKeyExchange').vector(1)
      return agreed(() => ecdh.computeSecret(other), 'P-256')
    },
  }
}

/** PKCS #8 and SubjectPublicKeyInfo of X25519 (RFC 8410) up to the 32 octets of the key. */
const X25519_PRIVATE: Buffer = Buffer.from('302e020100300506032b656e04220420', 'hex')
const X25519_PUBLIC: Buffer = Buffer.from('302a300506032b656e032100', 'hex')

function x25519Exchange(context: ExchangeContext, randoms: Randoms): Exchange {
  const der = Buffer.concat([X25519_PRIVATE, context.random(32)])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const share = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(X25519_PUBLIC.length)
  return {
    serverKeyExchange: signed(context, randoms, ecParameters('x25519', share)),
    premaster(body) {
      const other = Buffer.concat([X25519_PUBLIC, new Cursor(body, 'ClientKeyExchange').vector(1)])
      return agreed(() => {
        const publicKey = createPublicKey({ key: other, format: 'der', type: 'spki' })
        return diffieHellman({ privateKey, publicKey })
      }, 'X25519')
    },
  }
}

/** Hash and signature algorithm of TLS 1.2 in two octets each, RFC 5246 §7.4.1.4.1, the better ones first. */
const SIGNATURES = {
  rsa: [
    [0x0401, 'sha256'],
    [0x0501, 'sha384'],
    [0x0601, 'sha512'],
    [0x0201, 'sha1'],
    [0x0101, 'md5'],
  ],
  ec: [
    [0x0403, 'sha256'],
    [0x0503, 'sha384'],
    [0x0603, 'sha512'],
    [0x0203, 'sha1'],
  ],
} as const

/** All that the engine can check, for a CertificateRequest. */
export const SIGNATURE_ALGORITHMS: readonly number[] = [...SIGNATURES.rsa, ...SIGNATURES.ec].map(([number]) => number)

/** The hash of a signature algorithm of TLS 1.2, for keys of this type. */
export function signatureHash(type: 'rsa' | 'ec', algorithm: number): string | undefined {
  return SIGNATURES[type].find(([number]) => number === algorithm)?.[1]
}

/**
 * Parameters and the signature over them with both randoms; anonymous suites have none. An ECDSA signature is another one each
 * time: OpenSSL draws its nonce itself. All else that the engine sends follows from the randomness that it is given.
 */
function signed(context: ExchangeContext, { client, server }: Randoms, parameters: Buffer): Buffer {
  const { version, suite, key, signatureAlgorithms } = context
  if (suite.exchange.endsWith('anon')) return parameters
  const type = suite.exchange === 'ECDHE_ECDSA' ? 'ec' : 'rsa'
  const content = Buffer.concat([client, server, parameters])
  if (version < TLS12) {
    const signature = sign(type === 'rsa' ? 'md5-sha1' : 'sha1', content, key)
    return Buffer.concat([parameters, vector(2, signature)])
  }
  const known = SIGNATURES[type]
  // A client that names none has SHA-1, RFC 5246 §7.4.1.4.1.
  const offered =
    signatureAlgorithms.length === 0 ? [known.find(([, hash]) => hash === 'sha1')?.[0]] : signatureAlgorithms
  const chosen = known.find(([number]) => offered.includes(number))
  if (chosen === undefined)
    throw new ProtocolError('handshake_failure', `no signature algorithm in common for a key of type ${type}`)
  const [number, hash] = chosen
  return Buffer.concat([parameters, uint16(number), vector(2, sign(hash, content, key))])
}
