/** What one connection of the reference client is to do. */
import type { Credentials } from '../../../scenarios/client.ts'
import type { Tlsa } from './dane.ts'

/** The policies of a session; `default` is `may`, and `dane` stands for a host with usable TLSA records. */
export type Policy = 'none' | 'may' | 'encrypt' | 'verify' | 'dane' | 'implicit'

export interface Job {
  readonly policy: Policy
  /** Without a trailing dot. */
  readonly hostName: string
  /** Under `dane`: the records, and the names that a certificate may have. */
  readonly tlsa?: { readonly records: readonly Tlsa[]; readonly names: readonly string[] }
  readonly from: string
  readonly to: readonly string[]
  readonly message: Buffer
  readonly credentials?: Credentials
  /** Divides every time limit. At least 1. */
  readonly timeScale: number
  /** Milliseconds that the caller waits for the whole attempt. */
  readonly deadlineMs: number
}

/** The name that the client gives in EHLO, in clear and inside TLS. */
export const OWN_NAME = 'client.badmx.test'
