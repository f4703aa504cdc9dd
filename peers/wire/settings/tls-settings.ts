/**
 * What proves each TLS setting of a host: from the ClientHello that came and the handshake messages that left, as far as they
 * are in clear. A setting has its opportunity where the handshake comes to it, and has fired when what it decides left for
 * the client. Pure.
 */
import type { HelloSeen } from '../../events.ts'
import { HANDSHAKE, readAuthorities, type ServerHello } from '../../tls/handshake.ts'

/** The handshake as far as it has gone. */
export interface Seen {
  readonly hello: HelloSeen
  readonly serverHello?: ServerHello
  /** A fatal alert in clear, by its description: the host broke the handshake off. */
  readonly alert?: number
  /** The messages of the host that left in clear, by type. */
  readonly sent: ReadonlyMap<number, Buffer>
  /** Something left that is encrypted. */
  readonly encrypted: boolean
}

/** What a setting makes of a handshake: details of the proof, where there is any. */
export interface Proof {
  readonly opportunity?: string
  readonly fired?: string
}

const TLS12 = 0x0303
const TLS13 = 0x0304
const EXTENDED_MASTER_SECRET = 23
const RENEGOTIATION_INFO = 0xff01
const EMPTY_RENEGOTIATION_INFO_SCSV = 0x00ff
const PRE_SHARED_KEY = 41
const HANDSHAKE_FAILURE = 40

export const TLS_SETTINGS = {
  /** Any answer shows it: the version that is selected, or a refusal. */
  'tls:version': ({ hello, serverHello, alert }) => {
    const opportunity = `a ClientHello with ${hello.versions.filter(isVersion).map(versionName).join(', ')}`
    if (serverHello !== undefined) return { opportunity, fired: `selected ${versionName(serverHello.version)}` }
    return { opportunity, ...(alert === undefined ? {} : { fired: `refused the ClientHello with alert ${alert}` }) }
  },
  /** At TLS 1.2 and below the suite that is selected shows it, or handshake_failure where none is shared. */
  'tls:ciphers': ({ serverHello, alert }) => {
    if (serverHello === undefined)
      return alert === HANDSHAKE_FAILURE
        ? { opportunity: 'a ClientHello without a suite of its own', fired: 'no shared cipher suite: alert 40' }
        : {}
    if (serverHello.version > TLS12) return {}
    return { opportunity: 'a ServerHello is due', fired: `selected the cipher suite ${hex(serverHello.cipherSuite)}` }
  },
  /** What a client did not offer cannot be kept from it. */
  'tls:extended-master-secret': ({ hello, serverHello }) => {
    const due = serverHello !== undefined && serverHello.version <= TLS12
    if (!due || !hello.extensions.includes(EXTENDED_MASTER_SECRET)) return {}
    const left = serverHello.extensions.includes(EXTENDED_MASTER_SECRET)
    const opportunity = 'the ClientHello offered extended_master_secret'
    return { opportunity, ...(left ? {} : { fired: 'the ServerHello does not have it' }) }
  },
  /** What a client did not offer, by the extension or by the value among its suites (RFC 5746 §3.3), is not missed. */
  'tls:secure-renegotiation': ({ hello, serverHello }) => {
    const offered =
      hello.extensions.includes(RENEGOTIATION_INFO) || hello.cipherSuites.includes(EMPTY_RENEGOTIATION_INFO_SCSV)
    if (serverHello === undefined || serverHello.version > TLS12 || !offered) return {}
    const left = serverHello.extensions.includes(RENEGOTIATION_INFO)
    const opportunity = 'the ClientHello offered secure renegotiation'
    return { opportunity, ...(left ? {} : { fired: 'the ServerHello does not have renegotiation_info' }) }
  },
  /** At TLS 1.3 the request is in the encrypted flight behind the ServerHello of a full handshake (RFC 8446 §4.3.2). */
  'tls:client-certificate': ({ serverHello, sent, encrypted }) => {
    if (serverHello === undefined || serverHello.retry) return {}
    if (serverHello.version === TLS13) {
      if (serverHello.extensions.includes(PRE_SHARED_KEY)) return {}
      const opportunity = 'a full handshake of TLS 1.3'
      return { opportunity, ...(encrypted ? { fired: 'sent the flight with the CertificateRequest' } : {}) }
    }
    // A resumed session has no Certificate, and no request (RFC 5246 §7.3).
    if (!sent.has(HANDSHAKE.certificate)) return {}
    const request = sent.get(HANDSHAKE.certificateRequest)
    const opportunity = `a full handshake of ${versionName(serverHello.version)}`
    if (request === undefined) return { opportunity }
    const names = readAuthorities(request, serverHello.version)
    const told = names === undefined ? '' : `: ${names.count} authorities, ${names.octets} octets`
    return { opportunity, fired: `sent a CertificateRequest${told}` }
  },
  /** Whose certificate leaves in a full handshake goes by whether the client named a server (RFC 6066 §3). */
  'tls:server-name': ({ hello: { serverName }, serverHello, sent, encrypted }) => {
    if (serverHello === undefined || serverHello.retry || serverHello.extensions.includes(PRE_SHARED_KEY)) return {}
    // At TLS 1.3 it is in the encrypted flight behind the ServerHello.
    if (serverHello.version === TLS13 ? !encrypted : !sent.has(HANDSHAKE.certificate)) return {}
    const named = serverName === undefined ? 'no server' : serverName
    const whose = serverName === undefined ? 'the other certificate' : 'the certificate of the host'
    return { opportunity: `a ClientHello that names ${named}`, fired: `sent ${whose}` }
  },
  /** With a suite of ephemeral Diffie-Hellman over a prime field: the length of its prime (RFC 5246 §7.4.3). */
  'tls:diffie-hellman': ({ serverHello, sent }) => {
    const exchange = sent.get(HANDSHAKE.serverKeyExchange)
    if (serverHello === undefined || exchange === undefined || !DHE_SUITES.has(serverHello.cipherSuite)) return {}
    const bits = exchange.length < 2 ? 0 : exchange.readUInt16BE(0) * 8
    return { opportunity: 'a suite of ephemeral Diffie-Hellman', fired: `sent a prime of ${bits} bits` }
  },
} as const satisfies Readonly<Record<string, (seen: Seen) => Proof>>

/** DHE with RSA and DSS that OpenSSL has: RFC 5246 appendix A.5, RFC 5288, RFC 6655, RFC 7905, RFC 5932, RFC 6209. */
const DHE_SUITES: ReadonlySet<number> = new Set([
  ...[0x0032, 0x0033, 0x0038, 0x0039, 0x0040, 0x0067, 0x006a, 0x006b],
  ...[0x0044, 0x0045, 0x0087, 0x0088, 0x00bd, 0x00be, 0x00c3, 0x00c4],
  ...[0x009e, 0x009f, 0x00a2, 0x00a3, 0xc09e, 0xc09f, 0xc0a2, 0xc0a3, 0xccaa],
  ...[0xc052, 0xc053, 0xc056, 0xc057, 0xc07c, 0xc07d],
])

/** Not one of those that RFC 8701 has clients put between real ones. */
function isVersion(version: number): boolean {
  return version >= 0x0300 && version <= TLS13
}

function versionName(version: number): string {
  return version === 0x0300 ? 'SSL 3.0' : isVersion(version) ? `TLS 1.${version - 0x0301}` : hex(version)
}

function hex(number: number): string {
  return `0x${number.toString(16).padStart(4, '0')}`
}
