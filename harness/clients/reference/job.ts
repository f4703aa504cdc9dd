/** What one connection of the reference client is to do. */
import type { Credentials } from '../../../scenarios/client.ts'

/** The policies that the client knows; `default` is `may`. */
export type Policy = 'none' | 'may' | 'encrypt' | 'verify' | 'implicit'

export interface Job {
  readonly policy: Policy
  /** Without a trailing dot. */
  readonly hostName: string
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
