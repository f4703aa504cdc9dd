/**
 * Policies: what a client under test has been told to require. The words, and what each forbids, are the same in
 * scenario files, on the command line and in reports.
 */

/** Every policy that a scenario can have an expectation for, or a client be run with. */
export const POLICIES = [
  'none',
  'may',
  'encrypt',
  'verify',
  'dane',
  'dane-only',
  'mta-sts',
  'implicit',
  'default',
] as const
export type Policy = (typeof POLICIES)[number]

/** The policies with a column of their own in the catalogue. */
export const COLUMNS = ['none', 'may', 'encrypt', 'verify', 'dane', 'dane-only', 'mta-sts'] as const
export type Column = (typeof COLUMNS)[number]

/** The policies that this release can run. */
export const RUNNABLE: readonly Policy[] = [
  ...(['none', 'may', 'encrypt', 'verify', 'dane', 'dane-only', 'implicit', 'default'] as const),
]

/** The weakest delivery that a policy may ever make: C in clear, U in TLS unauthenticated, V in TLS to a verified peer. */
export const FLOOR: Readonly<Record<Exclude<Policy, 'default'>, 'C' | 'U' | 'V'>> = {
  none: 'C',
  may: 'C',
  encrypt: 'U',
  verify: 'V',
  dane: 'V',
  'dane-only': 'V',
  'mta-sts': 'V',
  implicit: 'V',
}

/** What the policy goes by is looked up in DNS: a client without a resolver of its own cannot have it. */
export function wantsDns(policy: Policy): boolean {
  return policy === 'dane' || policy === 'dane-only' || policy === 'mta-sts'
}

export function isPolicy(word: string): word is Policy {
  return (POLICIES as readonly string[]).includes(word)
}
