/** One server of the legacy engine: what its connections have in common. */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { LegacyTlsOptions } from './options.ts'
import { VERSION_NUMBERS } from './protocol.ts'
import { SessionStore } from './sessions.ts'
import { keyTypeOf, SOUND_SUITES, type Suite, suiteByName } from './suites.ts'

export interface ServerSettings {
  readonly options: LegacyTlsOptions
  /** DER, leaf first; may be empty. */
  readonly chain: readonly Buffer[]
  readonly keyPem: string
  /** Ask for a client certificate; `require` refuses a client that has none. */
  readonly clientCertificate?: 'request' | 'require'
  /** DER of the distinguished names in a CertificateRequest, RFC 5246 §7.4.4. */
  readonly authorities: readonly Buffer[]
}

export class LegacyServer {
  readonly options: LegacyTlsOptions
  readonly chain: readonly Buffer[]
  readonly key: KeyObject
  readonly requestCert: boolean
  readonly requireCert: boolean
  readonly min: number
  readonly max: number
  /** In its order of preference, those that its key can serve. */
  readonly suites: readonly Suite[]
  readonly sessions = new SessionStore()
  readonly authorities: readonly Buffer[]

  /** @throws {RangeError} where no suite goes with the key, so that every client would be refused. */
  constructor({ options, chain, keyPem, clientCertificate, authorities }: ServerSettings) {
    this.options = options
    this.chain = chain
    this.key = createPrivateKey(keyPem)
    this.requestCert = clientCertificate !== undefined
    this.requireCert = clientCertificate === 'require'
    this.min = VERSION_NUMBERS[options.min]
    this.max = VERSION_NUMBERS[options.max]
    const named = options.suites?.flatMap((name) => suiteByName(name) ?? []) ?? SOUND_SUITES
    const type = this.key.asymmetricKeyType
    this.suites = named.filter((suite) => keyTypeOf(suite) === 'none' || keyTypeOf(suite) === type)
    if (this.suites.length === 0)
      throw new RangeError(
        `no cipher suite of ${named.map(({ name }) => name).join(', ')} goes with a key of type ${type}: ` +
          `want a certificate with ${named.some((suite) => keyTypeOf(suite) === 'rsa') ? 'an RSA' : 'an ECDSA'} key`,
      )
    this.authorities = authorities
  }
}
