/**
 * The whole event log, `badmx/events/1`: what the peers wrote ({@link PeerEvent}) and what the runner adds. Everything
 * that judging needs is in it, and judging reads nothing else.
 *
 * The first event is `run`, the last is `end`; a log without `end` was interrupted and is judged as far as it goes.
 * Each cell has one `cell` event before any other event of its name, and a `cell-end` after all of them. Where that end says
 * `spoilt`, both may come once more: a second try of the cell alone, with a domain, canaries and addresses of its own.
 */
import type { PeerEvent, Stamp } from '../peers/events.ts'
import type { ClientWord } from './client.ts'
import type { Policy } from './policy.ts'
import type { ResolverRecord } from './record.ts'

export const EVENTS_SCHEMA = 'badmx/events/1'

export interface RunBegun extends Stamp {
  readonly type: 'run'
  readonly schema: typeof EVENTS_SCHEMA
  readonly badmx: string
  readonly seed: number
  /** ISO 8601, the wall clock at t = 0. */
  readonly startedAt: string
  readonly timeScale: number
  readonly shard: string
  readonly node: string
  readonly openssl: string
  readonly clients: readonly {
    readonly id: string
    readonly name: string
    readonly version: string
    readonly kind: 'one-shot' | 'queue'
    readonly release?: string
  }[]
  /** The resolver that clients asked, where it is not badmx's own. */
  readonly resolver?: ResolverRecord
  /** The records of terminated TLS are in the log, so that captures can be made of it. */
  readonly capture?: boolean
  /** SHA-256 of the plan: the cells with their expectations. */
  readonly plan: string
  /** The cells that were planned, so that a lost one is `missing`. */
  readonly cells: readonly string[]
  /** The cells of all shards, where this is one of several: those that no shard of a merged log has are `missing`. */
  readonly whole?: readonly string[]
}

/** The first event of a log of sessions that belong to no run: of `badmx serve` and `badmx strip`. */
export interface ServingBegun extends Stamp {
  readonly type: 'serving'
  readonly schema: typeof EVENTS_SCHEMA
  readonly badmx: string
  /** ISO 8601, the wall clock at t = 0. */
  readonly startedAt: string
  readonly capture?: boolean
}

/** A text that is searched for in every octet: where it was put, and what it is. */
export interface Canary {
  /** `sender`, `recipient`, `subject`, `body`, `user`, `password`, `helo`. */
  readonly name: string
  readonly value: string
}

/** A behaviour, or a fault of the world, whose firing the verdict needs. */
export interface ProofNeeded {
  readonly behaviour: string
  readonly host: string
  readonly fires: 'must' | 'may' | 'must-not'
}

/** What a mail host is to its domain. */
export interface HostFacts {
  /** Of its MX record; `none` where no MX record names it. */
  readonly preference: number | 'none'
  /** When TLS starts there, if ever; whether it then comes up is another matter. */
  readonly tls: 'starttls' | 'connect' | 'none'
  /** What the world publishes for it in DNS; absent where it has no DNS. */
  readonly tlsa?: TlsaFacts
}

/** The TLSA records of a host at its port 25, as a resolver would find them but for faults on its way. */
export interface TlsaFacts {
  /** Zones are signed from the root down to its address, to the aliases on the way, and to the records. */
  readonly secure: boolean
  /** The TLSA base domain (RFC 7672 §2.2.3): what they are found at, and what SNI has. */
  readonly base: string
  /** Names that MX records have for the host and that are aliases of it: who has no TLSA record to go by sends them as SNI. */
  readonly aliases?: readonly string[]
  /** In presentation form, RFC 6698 §2.2: `3 1 1 e3b0…`. */
  readonly records: readonly string[]
}

/** The cell and everything that its verdict is measured against. */
export interface CellBegun extends Stamp {
  readonly type: 'cell'
  readonly cell: string
  /** `<family>/<id>`. */
  readonly scenario: string
  readonly title: string
  readonly severity: 'critical' | 'high' | 'medium' | 'low'
  readonly policy: Policy
  /** The policy that it is judged as: `policy`, or the documented one for `default`; `may` where DANE is switched off. */
  readonly judgedAs: Exclude<Policy, 'default'>
  readonly client: string
  readonly kind: 'one-shot' | 'queue'
  /** Controls are judged like any other cell, and then decide whether the others count. */
  readonly role: 'scenario' | 'harness-control' | 'client-control'
  /** The cell of the catalogue, in its letters: `D>C|C|D`. */
  readonly expected: string
  readonly clause: string
  /** Ids of the predicates that must hold. */
  readonly asserts: readonly string[]
  readonly verbMayWork: boolean
  /** The scenario says that there is no verdict under this policy. */
  readonly noVerdict: boolean
  /** A second try, with nothing else in the client's hands; the first was spoilt. */
  readonly alone?: true
  readonly proof: readonly ProofNeeded[]
  readonly domain: string
  /** Host name by host id; the name that each host's certificate is checked against. */
  readonly hostNames: Readonly<Record<string, string>>
  /** By host id, as the cell begins; a later `phase` says what has changed. */
  readonly hosts: Readonly<Record<string, HostFacts>>
  /** The time at which certificates are checked, ISO 8601. */
  readonly clock: string
  /** DER of the roots that the client was told to trust. */
  readonly roots: readonly Buffer[]
  readonly canaries: readonly Canary[]
  /** The client was given a password. */
  readonly credentials: boolean
  readonly messages: number
  readonly timeScale: number
  readonly deadlineMs: number
  /** The line that reproduces this cell. */
  readonly reproduce: string
}

/** The world has changed: DNS and hosts are now as this phase of the scenario has them. */
export interface PhaseBegun extends Stamp {
  readonly type: 'phase'
  readonly cell: string
  readonly phase: string
  readonly hosts: CellBegun['hosts']
}

export interface AttemptBegun extends Stamp {
  readonly type: 'attempt'
  readonly state: 'begun' | 'ended'
  readonly cell: string
  /** Counted from 1. */
  readonly attempt: number
  /** First delivery, a forced early retry, an aged retry, or the client's own. */
  readonly cause: 'first' | 'forced' | 'aged' | 'own'
  /** Set where the client was given another policy than the cell's: the attempt prepares for one that is judged. */
  readonly policy?: Policy
}

export interface ClientSaid extends Stamp {
  readonly type: 'client'
  readonly cell: string
  readonly attempt: number
  readonly word: Omit<ClientWord, 'heard'>
  /** When each line of the word's log came, on the clock of `t`; logs of before lack it. */
  readonly logAt?: readonly number[]
}

/** A delivery status notification for the cell's message came back to its sender (RFC 3464). */
export interface NoticeCame extends Stamp {
  readonly type: 'notice'
  readonly cell: string
  readonly attempt: number
  /** Its content, at most 64 KiB. */
  readonly data: Buffer
}

/** A client that keeps its settings in files was started with these. */
export interface ClientConfigured extends Stamp {
  readonly type: 'configured'
  readonly client: string
  readonly configuration: string
  /** As the program itself says it; in place of that of the `run` event. */
  readonly version?: string
}

/** The harness itself was late: for so long nothing was read and no timer fired. */
export interface HarnessLate extends Stamp {
  readonly type: 'late'
  readonly ms: number
}

/** The resolver, where it is not badmx's own, said why an answer for the cell failed. */
export interface ResolverSaid extends Stamp {
  readonly type: 'resolver-log'
  readonly cell: string
  readonly line: string
}

/** The cell is over, or `spoilt`: cut short by what the client did over several cells at once (`SpoiltError`). */
export interface CellEnded extends Stamp {
  readonly type: 'cell-end'
  readonly cell: string
  readonly status: 'done' | 'unsupported' | 'error' | 'interrupted' | 'spoilt'
  readonly reason?: string
}

export interface RunEnded extends Stamp {
  readonly type: 'end'
  readonly finishedAt: string
  readonly interrupted: boolean
}

export type RunEvent =
  | RunBegun
  | ServingBegun
  | ClientConfigured
  | CellBegun
  | PhaseBegun
  | AttemptBegun
  | ClientSaid
  | NoticeCame
  | HarnessLate
  | ResolverSaid
  | CellEnded
  | RunEnded
export type LogEvent = PeerEvent | RunEvent
