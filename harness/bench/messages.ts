/** What the benchmark and the processes that it starts say to each other. */

/** To a server under test. `begin` and `end` enclose a round. */
export interface ServerOrder {
  readonly order: 'begin' | 'end' | 'memory'
}

export type ServerReport =
  | { readonly report: 'listening'; readonly port: number }
  | { readonly report: 'begun' }
  /** Microseconds of CPU, user and system, of the whole process since `begin`. */
  | { readonly report: 'ended'; readonly cpuUs: number }
  /** Octets of the process's resident set, after a collection of its garbage. */
  | { readonly report: 'memory'; readonly octets: number }

/**
 * `plain`, `starttls` and `starttls-old` send one message of 1 kB; `bulk` one message of {@link Load.octets}. `starttls-old` is
 * TLS 1.2 with AES128-SHA.
 */
export type SessionKind = 'plain' | 'starttls' | 'starttls-old' | 'bulk'

/** To the load generator: hold so many connections that have got their banner, 0 to let them go. */
export interface Hold {
  readonly port: number
  readonly hold: number
}

/** To the load generator. */
export interface Load {
  readonly port: number
  readonly kind: SessionKind
  readonly sessions: number
  /** How many sessions are under way at any time. */
  readonly atOnce: number
  /** The size of a message. */
  readonly octets: number
}

export type LoadReport =
  | { readonly report: 'ready' }
  /** Wall time of all sessions. */
  | { readonly report: 'done'; readonly wallMs: number }
  | { readonly report: 'failed'; readonly reason: string }
