/**
 * The groups of the Diffie-Hellman exchanges, generator 2. Fixed: making a prime blocks for seconds.
 */
import { createDiffieHellmanGroup } from 'node:crypto'

export const DH_BITS = [512, 768, 1024, 2048] as const
export type DhBits = (typeof DH_BITS)[number]

export const GENERATOR: Buffer = Buffer.from([2])

/** The prime of 512 bits that Apache's mod_ssl shipped, broken in advance by Logjam (CVE-2015-4000). */
const APACHE_512 =
  '9fdb8b8a004544f0045f1737d0ba2e0b274cdf1a9f588218fb435316a16e3741' +
  '71fd19d8d8f37c39bf863fd60e3e300680a3030c6e4c3757d08f70e6aa871033'

/** The others are Oakley groups 1 and 2 (RFC 2409 §6) and group 14 (RFC 3526 §3). */
export function primeOf(bits: DhBits): Buffer {
  if (bits === 512) return Buffer.from(APACHE_512, 'hex')
  return createDiffieHellmanGroup(bits === 768 ? 'modp1' : bits === 1024 ? 'modp2' : 'modp14').getPrime()
}
