/**
 * From the premaster secret to keys and Finished values: the PRF of TLS 1.0 and 1.1 (RFC 2246 §5), of TLS 1.2 (RFC 5246 §5)
 * and the hashes of SSL 3.0 (RFC 6101 §5.6.8, §6). Pure.
 */
import { createHash, createHmac } from 'node:crypto'
import { SSL3, TLS12 } from './protocol.ts'
import type { Suite } from './suites.ts'

function hash(algorithm: string, ...parts: readonly Buffer[]): Buffer {
  const digest = createHash(algorithm)
  for (const part of parts) digest.update(part)
  return digest.digest()
}

/** P_hash of RFC 5246 §5. */
function expand(algorithm: string, secret: Buffer, seed: Buffer, length: number): Buffer {
  const hmac = (...parts: readonly Buffer[]): Buffer => {
    const mac = createHmac(algorithm, secret)
    for (const part of parts) mac.update(part)
    return mac.digest()
  }
  const blocks: Buffer[] = []
  let have = 0
  for (let a = hmac(seed); have < length; a = hmac(a)) {
    const block = hmac(a, seed)
    blocks.push(block)
    have += block.length
  }
  return Buffer.concat(blocks).subarray(0, length)
}

/** The PRF of the version; of TLS 1.0 and 1.1 MD5 and SHA-1 over the two halves of the secret. */
function prf(
  version: number,
  suite: Suite,
  secret: Buffer,
  label: string,
  seeds: readonly Buffer[],
  length: number,
): Buffer {
  const seed = Buffer.concat([Buffer.from(label, 'latin1'), ...seeds])
  if (version >= TLS12) return expand(suite.prf, secret, seed, length)
  const half = (secret.length + 1) >> 1
  const md5 = expand('md5', secret.subarray(0, half), seed, length)
  const sha1 = expand('sha1', secret.subarray(secret.length - half), seed, length)
  for (let at = 0; at < length; at++) md5[at] = (md5[at] as number) ^ (sha1[at] as number)
  return md5
}

/** `MD5(secret + SHA("A" + secret + seeds)) + MD5(secret + SHA("BB" + …)) + …`, RFC 6101 §6.1. */
function sslExpand(secret: Buffer, seeds: readonly Buffer[], length: number): Buffer {
  const blocks: Buffer[] = []
  for (let count = 1; blocks.length * 16 < length; count++) {
    const label = Buffer.alloc(count, 0x40 + count)
    blocks.push(hash('md5', secret, hash('sha1', label, secret, ...seeds)))
  }
  return Buffer.concat(blocks).subarray(0, length)
}

export interface Randoms {
  readonly client: Buffer
  readonly server: Buffer
}

/** 48 octets, RFC 5246 §8.1. */
export function masterSecret(version: number, suite: Suite, premaster: Buffer, { client, server }: Randoms): Buffer {
  if (version === SSL3) return sslExpand(premaster, [client, server], 48)
  return prf(version, suite, premaster, 'master secret', [client, server], 48)
}

/** What protects one direction. */
export interface DirectionKeys {
  readonly mac: Buffer
  readonly key: Buffer
  readonly iv: Buffer
}

const MAC_LENGTHS = { md5: 16, sha1: 20, sha256: 32, sha384: 48 } as const

/** Octets that the MAC of a record takes; 0 with GCM. */
export function macLength({ mac }: Suite): number {
  return mac === undefined ? 0 : MAC_LENGTHS[mac]
}

/** The key block, cut up (RFC 5246 §6.3; export suites RFC 2246 §6.3.1, RFC 6101 §6.2.2.1). */
export function connectionKeys(
  version: number,
  suite: Suite,
  master: Buffer,
  { client, server }: Randoms,
): { readonly client: DirectionKeys; readonly server: DirectionKeys } {
  const { bulk } = suite
  const sizes = [macLength(suite), bulk.key, bulk.iv]
  const length = 2 * sizes.reduce((sum, size) => sum + size, 0)
  const block =
    version === SSL3
      ? sslExpand(master, [server, client], length)
      : prf(version, suite, master, 'key expansion', [server, client], length)
  let at = 0
  const pair = (size = 0): [Buffer, Buffer] => {
    at += 2 * size
    return [block.subarray(at - 2 * size, at - size), block.subarray(at - size, at)]
  }
  const [macs, keys, ivs] = sizes.map(pair) as [[Buffer, Buffer], [Buffer, Buffer], [Buffer, Buffer]]
  if (bulk.exportKey === undefined)
    return { client: { mac: macs[0], key: keys[0], iv: ivs[0] }, server: { mac: macs[1], key: keys[1], iv: ivs[1] } }
  const final = (key: Buffer, label: string, order: readonly Buffer[]): Buffer => {
    if (version === SSL3) return hash('md5', key, ...order).subarray(0, bulk.exportKey)
    return prf(version, suite, key, label, [client, server], bulk.exportKey as number)
  }
  const iv =
    version === SSL3
      ? Buffer.concat([
          hash('md5', client, server).subarray(0, bulk.iv),
          hash('md5', server, client).subarray(0, bulk.iv),
        ])
      : prf(version, suite, Buffer.alloc(0), 'IV block', [client, server], 2 * bulk.iv)
  return {
    client: {
      mac: macs[0],
      key: final(keys[0], 'client write key', [client, server]),
      iv: iv.subarray(0, bulk.iv),
    },
    server: {
      mac: macs[1],
      key: final(keys[1], 'server write key', [server, client]),
      iv: iv.subarray(bulk.iv),
    },
  }
}

const PAD1: Buffer = Buffer.alloc(48, 0x36)
const PAD2: Buffer = Buffer.alloc(48, 0x5c)

/** The hash of SSL 3.0 over secret and padding, inner and outer, RFC 6101 §5.6.8, §5.6.9. */
function sslHash(algorithm: 'md5' | 'sha1', transcript: Buffer, sender: Buffer, master: Buffer): Buffer {
  const size = algorithm === 'md5' ? 48 : 40
  const inner = hash(algorithm, transcript, sender, master, PAD1.subarray(0, size))
  return hash(algorithm, master, PAD2.subarray(0, size), inner)
}

/** What a Finished message holds, RFC 5246 §7.4.9. `transcript` is every handshake message before it. */
export function finishedValue(
  version: number,
  suite: Suite,
  master: Buffer,
  from: 'client' | 'server',
  transcript: Buffer,
): Buffer {
  if (version === SSL3) {
    const sender = Buffer.from(from === 'client' ? 'CLNT' : 'SRVR', 'latin1')
    return Buffer.concat([sslHash('md5', transcript, sender, master), sslHash('sha1', transcript, sender, master)])
  }
  const digest = version >= TLS12 ? hash(suite.prf, transcript) : hash('md5-sha1', transcript)
  return prf(version, suite, master, `${from} finished`, [digest], 12)
}

/** What a client signs with RSA in its CertificateVerify at SSL 3.0, RFC 6101 §5.6.8: two digests, not hashed again. */
export function sslVerifyDigest(transcript: Buffer, master: Buffer): Buffer {
  const none = Buffer.alloc(0)
  return Buffer.concat([sslHash('md5', transcript, none, master), sslHash('sha1', transcript, none, master)])
}
