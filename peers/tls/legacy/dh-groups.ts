/**
 * The groups of the Diffie-Hellman exchanges, generator 2. Fixed: making a prime blocks for seconds, and node:crypto checks one
 * anew for each object, which takes longer than the handshake. So there is one object for a group, and a private key is set
 * each time that it is used.
 */
import { createDiffieHellman, createDiffieHellmanGroup, type DiffieHellman } from 'node:crypto'

export const DH_BITS = [512, 768, 1024, 2048] as const
export type DhBits = (typeof DH_BITS)[number]

const GENERATOR: Buffer = Buffer.from([2])

/** The prime of 512 bits that Apache's mod_ssl shipped, broken in advance by Logjam (CVE-2015-4000). */
const APACHE_512 =
  '9fdb8b8a004544f0045f1737d0ba2e0b274cdf1a9f588218fb435316a16e3741' +
  '71fd19d8d8f37c39bf863fd60e3e300680a3030c6e4c3757d08f70e6aa871033'

/** The others are Oakley groups 1 and 2 (RFC 2409 §6) and group 14 (RFC 3526 §3). */
function primeOf(bits: DhBits): Buffer {
  if (bits === 512) return Buffer.from(APACHE_512, 'hex')
  return createDiffieHellmanGroup(bits === 768 ? 'modp1' : bits === 1024 ? 'modp2' : 'modp14').getPrime()
}

interface Group {
  readonly prime: Buffer
  readonly object: DiffieHellman
}

const groups = new Map<DhBits, Group>()

function groupOf(bits: DhBits): Group {
  const known = groups.get(bits)
  if (known !== undefined) return known
  const prime = primeOf(bits)
  const group = { prime, object: createDiffieHellman(prime, GENERATOR) }
  groups.set(bits, group)
  return group
}

/** One key pair in a group. */
export interface DhKey {
  readonly prime: Buffer
  readonly generator: Buffer
  readonly share: Buffer
  /** The secret, as long as the prime. Throws on a share that is none. */
  agree(other: Buffer): Buffer
}

/** `secret` is below the prime, and not 0. */
export function dhKey(bits: DhBits, secret: Buffer): DhKey {
  const { prime, object } = groupOf(bits)
  object.setPrivateKey(secret)
  const share = object.generateKeys()
  const agree = (other: Buffer): Buffer => {
    object.setPrivateKey(secret)
    return object.computeSecret(other)
  }
  return { prime, generator: GENERATOR, share, agree }
}
