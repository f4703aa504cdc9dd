/** One server of the legacy engine: what its connections have in common. */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { authorityNames } from './authority-names.ts'
import type { LegacyTlsOptions } from './options.ts'
import { VERSION_NUMBERS } from './protocol.ts'
import { SessionStore } from './sessions.ts'
import { keyTypeOf, SOUND_SUITES, type Suite, suiteByName } from './suites.ts'

export interface ServerSettings {
  readonly options: LegacyTlsOptions
  /** DER, leaf first; may be empty. */
  readonly chain: readonly Buffer[]
  readonly keyPem: string
  readonly requestCert: boolean
  readonly requireCert: boolean
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
  /** DER of the names in a CertificateRequest. */
  readonly authorities: readonly Buffer[]

  constructor({ options, chain, keyPem, requestCert, requireCert }: ServerSettings) {
    this.options = options
    this.chain = chain
    this.key = createPrivateKey(keyPem)
    this.requestCert = requestCert
    this.requireCert = requireCert
    this.min = VERSION_NUMBERS[options.min]
    this.max = VERSION_NUMBERS[options.max]
    const named = options.suites?.flatMap((name) => suiteByName(name) ?? []) ?? SOUND_SUITES
    const type = this.key.asymmetricKeyType
    this.suites = named.filter((suite) => keyTypeOf(suite) === 'none' || keyTypeOf(suite) === type)
    this.authorities = requestCert ? authorityNames(options.authorities) : []
  }
}
