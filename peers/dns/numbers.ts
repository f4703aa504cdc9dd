/**
 * The numbers of the IANA registries "Domain Name System (DNS) Parameters" and "DNSSEC Algorithm Numbers" used here.
 */

export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  ANY: 255,
} as const
export type TypeName = keyof typeof TYPE

export const CLASS = { IN: 1, ANY: 255 } as const

export const OPCODE = { QUERY: 0 } as const

/** RFC 1035 §4.1.1, RFC 6891 §9 (BADVERS). */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const
export type RcodeName = keyof typeof RCODE

/** Extended DNS Errors, RFC 8914 §4. */
export const EDE = {
  OTHER: 0,
  UNSUPPORTED_DNSKEY_ALGORITHM: 1,
  DNSSEC_BOGUS: 6,
  SIGNATURE_EXPIRED: 7,
  SIGNATURE_NOT_YET_VALID: 8,
  DNSKEY_MISSING: 9,
  RRSIGS_MISSING: 10,
  NSEC_MISSING: 12,
  NOT_AUTHORITATIVE: 20,
  NO_REACHABLE_AUTHORITY: 22,
  NETWORK_ERROR: 23,
} as const

/** EDNS option codes. */
export const OPTION = { EDE: 15 } as const

const TYPE_NAMES: ReadonlyMap<number, TypeName> = new Map(
  Object.entries(TYPE).map(([name, number]) => [number, name as TypeName]),
)
const RCODE_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(RCODE).map(([name, number]) => [number, name]))

/** `MX`, or `TYPE65280` (RFC 3597 §5). */
export function typeText(type: number): string {
  return TYPE_NAMES.get(type) ?? `TYPE${type}`
}

/** The number of `MX`, `mx` or `TYPE15`; undefined for what is neither. */
export function typeNumber(text: string): number | undefined {
  const upper = text.toUpperCase()
  if (Object.hasOwn(TYPE, upper)) return TYPE[upper as TypeName]
  const number = /^TYPE(\d{1,5})$/.exec(upper)?.[1]
  return number !== undefined && Number(number) <= 0xffff ? Number(number) : undefined
}

export function rcodeText(rcode: number): string {
  return RCODE_NAMES.get(rcode) ?? `RCODE${rcode}`
}
