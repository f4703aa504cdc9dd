/**
 * The cipher suites of the legacy engine: RFC 2246, RFC 3268, RFC 5246, RFC 5288, RFC 8422, RFC 4346 appendix (export).
 */

/** Who proves itself, and how the premaster secret comes about. */
export type KeyExchange = 'RSA' | 'RSA_EXPORT' | 'DHE_RSA' | 'DH_anon' | 'ECDHE_RSA' | 'ECDHE_ECDSA' | 'ECDH_anon'

export interface Bulk {
  readonly kind: 'null' | 'stream' | 'cbc' | 'gcm'
  /** Octets of the key; for export suites of what it is derived from. */
  readonly key: number
  /** Block size for CBC, octets of the implicit nonce for GCM, else 0. */
  readonly iv: number
  /** The name in OpenSSL; none for NULL and RC4. */
  readonly algorithm: string
  /** Export suites: octets of the final key (RFC 2246 §6.3.1). */
  readonly exportKey?: number
}

export interface Suite {
  readonly id: number
  /** As OpenSSL names it: `AES128-SHA`. */
  readonly name: string
  /** As IANA names it. */
  readonly standardName: string
  readonly exchange: KeyExchange
  readonly bulk: Bulk
  /** Of the record MAC, or with GCM none. */
  readonly mac?: 'md5' | 'sha1' | 'sha256' | 'sha384'
  /** Of the PRF at TLS 1.2. */
  readonly prf: 'sha256' | 'sha384'
  /** Only from TLS 1.2 on. */
  readonly tls12: boolean
}

const BULKS = {
  NULL: { kind: 'null', key: 0, iv: 0, algorithm: '' },
  RC4_128: { kind: 'stream', key: 16, iv: 0, algorithm: '' },
  RC4_40: { kind: 'stream', key: 5, iv: 0, algorithm: '', exportKey: 16 },
  // Single DES: triple DES whose three keys are the same. OpenSSL 3 has no other.
  DES_CBC: { kind: 'cbc', key: 8, iv: 8, algorithm: 'des-ede3-cbc' },
  DES40_CBC: { kind: 'cbc', key: 5, iv: 8, algorithm: 'des-ede3-cbc', exportKey: 8 },
  '3DES_EDE_CBC': { kind: 'cbc', key: 24, iv: 8, algorithm: 'des-ede3-cbc' },
  AES_128_CBC: { kind: 'cbc', key: 16, iv: 16, algorithm: 'aes-128-cbc' },
  AES_256_CBC: { kind: 'cbc', key: 32, iv: 16, algorithm: 'aes-256-cbc' },
  AES_128_GCM: { kind: 'gcm', key: 16, iv: 4, algorithm: 'aes-128-gcm' },
  AES_256_GCM: { kind: 'gcm', key: 32, iv: 4, algorithm: 'aes-256-gcm' },
} as const satisfies Record<string, Bulk>

type BulkName = keyof typeof BULKS
type HashName = 'MD5' | 'SHA' | 'SHA256' | 'SHA384'
const MACS = { MD5: 'md5', SHA: 'sha1', SHA256: 'sha256', SHA384: 'sha384' } as const

function suite(id: number, name: string, exchange: KeyExchange, bulk: BulkName, hash: HashName): Suite {
  const { kind } = BULKS[bulk]
  return {
    id,
    name,
    standardName: `TLS_${exchange}_WITH_${bulk}_${hash}`,
    exchange,
    bulk: BULKS[bulk],
    ...(kind === 'gcm' ? {} : { mac: MACS[hash] }),
    prf: hash === 'SHA384' ? 'sha384' : 'sha256',
    tls12: kind === 'gcm' || hash === 'SHA256' || hash === 'SHA384',
  }
}

/** In the order of preference that a server has that is told none: forward secrecy first, broken ciphers last. */
export const SUITES: readonly Suite[] = [
  suite(0xc02b, 'ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE_ECDSA', 'AES_128_GCM', 'SHA256'),
  suite(0xc02f, 'ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE_RSA', 'AES_128_GCM', 'SHA256'),
  suite(0xc02c, 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE_ECDSA', 'AES_256_GCM', 'SHA384'),
  suite(0xc030, 'ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE_RSA', 'AES_256_GCM', 'SHA384'),
  suite(0x009e, 'DHE-RSA-AES128-GCM-SHA256', 'DHE_RSA', 'AES_128_GCM', 'SHA256'),
  suite(0x009f, 'DHE-RSA-AES256-GCM-SHA384', 'DHE_RSA', 'AES_256_GCM', 'SHA384'),
  suite(0xc023, 'ECDHE-ECDSA-AES128-SHA256', 'ECDHE_ECDSA', 'AES_128_CBC', 'SHA256'),
  suite(0xc027, 'ECDHE-RSA-AES128-SHA256', 'ECDHE_RSA', 'AES_128_CBC', 'SHA256'),
  suite(0xc024, 'ECDHE-ECDSA-AES256-SHA384', 'ECDHE_ECDSA', 'AES_256_CBC', 'SHA384'),
  suite(0xc028, 'ECDHE-RSA-AES256-SHA384', 'ECDHE_RSA', 'AES_256_CBC', 'SHA384'),
  suite(0x0067, 'DHE-RSA-AES128-SHA256', 'DHE_RSA', 'AES_128_CBC', 'SHA256'),
  suite(0x006b, 'DHE-RSA-AES256-SHA256', 'DHE_RSA', 'AES_256_CBC', 'SHA256'),
  suite(0xc009, 'ECDHE-ECDSA-AES128-SHA', 'ECDHE_ECDSA', 'AES_128_CBC', 'SHA'),
  suite(0xc013, 'ECDHE-RSA-AES128-SHA', 'ECDHE_RSA', 'AES_128_CBC', 'SHA'),
  suite(0xc00a, 'ECDHE-ECDSA-AES256-SHA', 'ECDHE_ECDSA', 'AES_256_CBC', 'SHA'),
  suite(0xc014, 'ECDHE-RSA-AES256-SHA', 'ECDHE_RSA', 'AES_256_CBC', 'SHA'),
  suite(0x0033, 'DHE-RSA-AES128-SHA', 'DHE_RSA', 'AES_128_CBC', 'SHA'),
  suite(0x0039, 'DHE-RSA-AES256-SHA', 'DHE_RSA', 'AES_256_CBC', 'SHA'),
  suite(0x009c, 'AES128-GCM-SHA256', 'RSA', 'AES_128_GCM', 'SHA256'),
  suite(0x009d, 'AES256-GCM-SHA384', 'RSA', 'AES_256_GCM', 'SHA384'),
  suite(0x003c, 'AES128-SHA256', 'RSA', 'AES_128_CBC', 'SHA256'),
  suite(0x003d, 'AES256-SHA256', 'RSA', 'AES_256_CBC', 'SHA256'),
  suite(0x002f, 'AES128-SHA', 'RSA', 'AES_128_CBC', 'SHA'),
  suite(0x0035, 'AES256-SHA', 'RSA', 'AES_256_CBC', 'SHA'),
  suite(0xc008, 'ECDHE-ECDSA-DES-CBC3-SHA', 'ECDHE_ECDSA', '3DES_EDE_CBC', 'SHA'),
  suite(0xc012, 'ECDHE-RSA-DES-CBC3-SHA', 'ECDHE_RSA', '3DES_EDE_CBC', 'SHA'),
  suite(0x0016, 'DHE-RSA-DES-CBC3-SHA', 'DHE_RSA', '3DES_EDE_CBC', 'SHA'),
  suite(0x000a, 'DES-CBC3-SHA', 'RSA', '3DES_EDE_CBC', 'SHA'),
  suite(0xc007, 'ECDHE-ECDSA-RC4-SHA', 'ECDHE_ECDSA', 'RC4_128', 'SHA'),
  suite(0xc011, 'ECDHE-RSA-RC4-SHA', 'ECDHE_RSA', 'RC4_128', 'SHA'),
  suite(0x0005, 'RC4-SHA', 'RSA', 'RC4_128', 'SHA'),
  suite(0x0004, 'RC4-MD5', 'RSA', 'RC4_128', 'MD5'),
  suite(0x0015, 'DHE-RSA-DES-CBC-SHA', 'DHE_RSA', 'DES_CBC', 'SHA'),
  suite(0x0009, 'DES-CBC-SHA', 'RSA', 'DES_CBC', 'SHA'),
  suite(0x0008, 'EXP-DES-CBC-SHA', 'RSA_EXPORT', 'DES40_CBC', 'SHA'),
  suite(0x0003, 'EXP-RC4-MD5', 'RSA_EXPORT', 'RC4_40', 'MD5'),
  suite(0x00a6, 'ADH-AES128-GCM-SHA256', 'DH_anon', 'AES_128_GCM', 'SHA256'),
  suite(0x006c, 'ADH-AES128-SHA256', 'DH_anon', 'AES_128_CBC', 'SHA256'),
  suite(0x0034, 'ADH-AES128-SHA', 'DH_anon', 'AES_128_CBC', 'SHA'),
  suite(0x003a, 'ADH-AES256-SHA', 'DH_anon', 'AES_256_CBC', 'SHA'),
  suite(0xc018, 'AECDH-AES128-SHA', 'ECDH_anon', 'AES_128_CBC', 'SHA'),
  suite(0x001b, 'ADH-DES-CBC3-SHA', 'DH_anon', '3DES_EDE_CBC', 'SHA'),
  suite(0x0018, 'ADH-RC4-MD5', 'DH_anon', 'RC4_128', 'MD5'),
  suite(0x003b, 'NULL-SHA256', 'RSA', 'NULL', 'SHA256'),
  suite(0xc006, 'ECDHE-ECDSA-NULL-SHA', 'ECDHE_ECDSA', 'NULL', 'SHA'),
  suite(0xc010, 'ECDHE-RSA-NULL-SHA', 'ECDHE_RSA', 'NULL', 'SHA'),
  suite(0x0002, 'NULL-SHA', 'RSA', 'NULL', 'SHA'),
  suite(0x0001, 'NULL-MD5', 'RSA', 'NULL', 'MD5'),
]

const BY_NAME: ReadonlyMap<string, Suite> = new Map(SUITES.map((each) => [each.name, each]))

export function suiteByName(name: string): Suite | undefined {
  return BY_NAME.get(name)
}

/** Suites that a server has that was told none: without those that prove nothing or hide nothing. */
export const SOUND_SUITES: readonly Suite[] = SUITES.filter(
  ({ exchange, bulk }) => !exchange.endsWith('anon') && exchange !== 'RSA_EXPORT' && bulk.kind !== 'null',
)

/** Whether the certificate's key takes part, and of which type it must be. */
export function keyTypeOf({ exchange }: Suite): 'rsa' | 'ec' | 'none' {
  if (exchange.endsWith('anon')) return 'none'
  return exchange === 'ECDHE_ECDSA' ? 'ec' : 'rsa'
}
