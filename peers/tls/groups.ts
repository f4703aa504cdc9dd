/** Fixed groups of Diffie-Hellman over a prime field, for hosts that have weak ones: to make a prime takes seconds. */
import { getDiffieHellman } from 'node:crypto'
import { pem, sequence, unsigned } from '../certificates/der.ts'

/** Bits of the prime; OpenSSL 3 takes no group below 1024. */
export type GroupBits = 1024

/** The second Oakley group, RFC 2409 §6.2. */
const GROUPS: Readonly<Record<GroupBits, string>> = { 1024: 'modp2' }

/** Those that were asked for: Node checks a prime each time, which takes longer than all else of a peer's TLS. */
const made = new Map<GroupBits, string>()

/** PEM of DHParameter, PKCS #3 §9. */
export function groupPem(bits: GroupBits): string {
  const known = made.get(bits)
  if (known !== undefined) return known
  const group = getDiffieHellman(GROUPS[bits])
  const text = pem('DH PARAMETERS', sequence(unsigned(group.getPrime()), unsigned(group.getGenerator())))
  made.set(bits, text)
  return text
}
