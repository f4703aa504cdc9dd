/** Fixed groups of Diffie-Hellman over a prime field, for hosts that have weak ones: to make a prime takes seconds. */
import { getDiffieHellman } from 'node:crypto'
import { pem, sequence, unsigned } from '../certificates/der.ts'

/** Bits of the prime; OpenSSL 3 takes no group below 1024. */
export type GroupBits = 1024

/** The second Oakley group, RFC 2409 §6.2. */
const GROUPS: Readonly<Record<GroupBits, string>> = { 1024: 'modp2' }

/** PEM of DHParameter, PKCS #3 §9. */
export function groupPem(bits: GroupBits): string {
  const group = getDiffieHellman(GROUPS[bits])
  return pem('DH PARAMETERS', sequence(unsigned(group.getPrime()), unsigned(group.getGenerator())))
}
