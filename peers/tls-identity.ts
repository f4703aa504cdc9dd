/** The TLS of a peer: what its user says of it, and what Node is told. */
import { createSecureContext, type SecureContext } from 'node:tls'
import { type GroupBits, groupPem } from './tls/groups.ts'
import type { LegacyTlsInput } from './tls/legacy/options.ts'
import type { TlsIdentity } from './tls/server-end.ts'
import type { Upgrade } from './wire/units.ts'

/** A certificate chain with its key, as an authority issues it. */
export interface Certificate {
  /** `good`, or the id of its fault. */
  readonly id: string
  /** PEM, leaf first, as sent. */
  readonly certPem: string
  readonly keyPem: string
  /** DER, leaf first, as sent. */
  readonly chain: readonly Buffer[]
  /** One line about it. */
  readonly detail: string
  readonly ocspResponse?: Buffer
  /** OpenSSL presents it at security level 0 alone. */
  readonly weak?: true
}

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'

export interface TlsOptions {
  readonly certificate: Certificate
  readonly on?: 'starttls' | 'connect'
  readonly min?: TlsVersion
  readonly max?: TlsVersion
  /** OpenSSL cipher list for TLS 1.2 and below. */
  readonly ciphers?: string
  /** Ask for a client certificate, of whatever issuer; `require` refuses a client that has none. */
  readonly clientCertificate?: 'request' | 'require'
  /** Certificates, PEM, whose subjects the request names (RFC 5246 §7.4.4, RFC 8446 §4.2.4); default none. */
  readonly authorities?: readonly string[]
  /** `false`: not agreed to at TLS 1.2 and below, RFC 7627; default true. */
  readonly extendedMasterSecret?: boolean
  /** Bits of the group of ephemeral Diffie-Hellman; without it no suite of that kind is to be had. */
  readonly diffieHellman?: GroupBits
  /** 48 octets that seal tickets (RFC 5077 §4): peers that share them go on with each other's sessions. Default: own, at random. */
  readonly ticketKeys?: Buffer
  /** What a client without SNI gets instead. */
  readonly withoutServerName?: Omit<TlsOptions, 'on' | 'residue' | 'withoutServerName'>
  /** See {@link Upgrade.residue}; default `drop` (RFC 3207 §4.2). */
  readonly residue?: Upgrade['residue']
  /**
   * The server is of the legacy engine (SSL 3.0 to TLS 1.2, RC4, 3DES, …), with its own versions and suites: `min`, `max`,
   * `ciphers` and `extendedMasterSecret` are Node's. It is weak on purpose.
   */
  readonly legacy?: LegacyTlsInput
}

/** The legacy engine is loaded only for who has it. */
export async function identityOf(tls: TlsOptions): Promise<TlsIdentity> {
  const { certificate, legacy } = tls
  return {
    certificate: certificate.id,
    detail: certificate.detail,
    chain: certificate.chain,
    tls13: legacy === undefined && (tls.max ?? 'TLSv1.3') === 'TLSv1.3',
    engine:
      legacy === undefined
        ? { secureContext: contextOf(tls) }
        : { legacy: (await import('./tls/legacy-identity.ts')).legacyEnds({ ...tls, legacy }) },
    ...(certificate.ocspResponse === undefined ? {} : { ocspResponse: certificate.ocspResponse }),
    ...(tls.clientCertificate === undefined ? {} : { requestCert: true }),
    ...(tls.clientCertificate === 'require' ? { requireCert: true } : {}),
    ...(tls.withoutServerName === undefined ? {} : { withoutServerName: await identityOf(tls.withoutServerName) }),
  }
}

function contextOf(tls: TlsOptions): SecureContext {
  const { certificate, min = 'TLSv1.2', max = 'TLSv1.3' } = tls
  const old = min === 'TLSv1' || min === 'TLSv1.1'
  return createSecureContext({
    cert: certificate.certPem,
    key: certificate.keyPem,
    minVersion: min,
    maxVersion: max,
    // Without one OpenSSL breaks a resumption off where a client certificate is asked for.
    sessionIdContext: 'badmx',
    ...(tls.ticketKeys === undefined ? {} : { ticketKeys: tls.ticketKeys }),
    ...(tls.extendedMasterSecret === false ? { secureOptions: NO_EXTENDED_MASTER_SECRET } : {}),
    // Whose a client's certificate is does not matter: without a list Node reads all the roots of the web.
    ca: [...(tls.authorities ?? [])],
    ...(tls.diffieHellman === undefined ? {} : { dhparam: groupPem(tls.diffieHellman) }),
    // OpenSSL 3 speaks TLS 1.0 and 1.1, and signs with SHA-1, only at security level 0.
    ...(tls.ciphers !== undefined ? { ciphers: tls.ciphers } : old || certificate.weak ? LEVEL_0 : {}),
  })
}

/** SSL_OP_NO_EXTENDED_MASTER_SECRET of OpenSSL 3.0, for which Node has no name. */
const NO_EXTENDED_MASTER_SECRET = 1

const LEVEL_0 = { ciphers: 'DEFAULT@SECLEVEL=0' } as const
