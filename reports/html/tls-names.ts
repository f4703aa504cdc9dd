/** Names of the TLS code points that mail clients offer (IANA's TLS parameters); others are shown as numbers. */

const SUITES: Readonly<Record<number, string>> = {
  4865: 'TLS_AES_128_GCM_SHA256',
  4866: 'TLS_AES_256_GCM_SHA384',
  4867: 'TLS_CHACHA20_POLY1305_SHA256',
  4868: 'TLS_AES_128_CCM_SHA256',
  4869: 'TLS_AES_128_CCM_8_SHA256',
  49195: 'ECDHE_ECDSA_AES_128_GCM_SHA256',
  49196: 'ECDHE_ECDSA_AES_256_GCM_SHA384',
  49199: 'ECDHE_RSA_AES_128_GCM_SHA256',
  49200: 'ECDHE_RSA_AES_256_GCM_SHA384',
  52392: 'ECDHE_RSA_CHACHA20_POLY1305',
  52393: 'ECDHE_ECDSA_CHACHA20_POLY1305',
  52394: 'DHE_RSA_CHACHA20_POLY1305',
  49161: 'ECDHE_ECDSA_AES_128_CBC_SHA',
  49162: 'ECDHE_ECDSA_AES_256_CBC_SHA',
  49171: 'ECDHE_RSA_AES_128_CBC_SHA',
  49172: 'ECDHE_RSA_AES_256_CBC_SHA',
  49187: 'ECDHE_ECDSA_AES_128_CBC_SHA256',
  49188: 'ECDHE_ECDSA_AES_256_CBC_SHA384',
  49191: 'ECDHE_RSA_AES_128_CBC_SHA256',
  49192: 'ECDHE_RSA_AES_256_CBC_SHA384',
  156: 'RSA_AES_128_GCM_SHA256',
  157: 'RSA_AES_256_GCM_SHA384',
  158: 'DHE_RSA_AES_128_GCM_SHA256',
  159: 'DHE_RSA_AES_256_GCM_SHA384',
  47: 'RSA_AES_128_CBC_SHA',
  53: 'RSA_AES_256_CBC_SHA',
  60: 'RSA_AES_128_CBC_SHA256',
  61: 'RSA_AES_256_CBC_SHA256',
  51: 'DHE_RSA_AES_128_CBC_SHA',
  57: 'DHE_RSA_AES_256_CBC_SHA',
  103: 'DHE_RSA_AES_128_CBC_SHA256',
  107: 'DHE_RSA_AES_256_CBC_SHA256',
  10: 'RSA_3DES_EDE_CBC_SHA',
  22: 'DHE_RSA_3DES_EDE_CBC_SHA',
  49160: 'ECDHE_ECDSA_3DES_EDE_CBC_SHA',
  49170: 'ECDHE_RSA_3DES_EDE_CBC_SHA',
  4: 'RSA_RC4_128_MD5',
  5: 'RSA_RC4_128_SHA',
  255: 'EMPTY_RENEGOTIATION_INFO_SCSV',
  22016: 'FALLBACK_SCSV',
}

const GROUPS: Readonly<Record<number, string>> = {
  23: 'secp256r1',
  24: 'secp384r1',
  25: 'secp521r1',
  29: 'x25519',
  30: 'x448',
  256: 'ffdhe2048',
  257: 'ffdhe3072',
  258: 'ffdhe4096',
  259: 'ffdhe6144',
  260: 'ffdhe8192',
  4587: 'SecP256r1MLKEM768',
  4588: 'X25519MLKEM768',
}

const VERSIONS: Readonly<Record<number, string>> = {
  512: 'SSL 2',
  768: 'SSL 3',
  769: 'TLS 1.0',
  770: 'TLS 1.1',
  771: 'TLS 1.2',
  772: 'TLS 1.3',
}

export function suiteName(code: number): string {
  return SUITES[code] ?? number(code)
}

export function groupName(code: number): string {
  return GROUPS[code] ?? number(code)
}

export function versionName(code: number): string {
  return VERSIONS[code] ?? number(code)
}

function number(code: number): string {
  return `0x${code.toString(16).padStart(4, '0')}`
}
