/** The run record, `badmx/run/1`: what judging makes of an event log, and all that reports read. */
import type { Policy } from './policy.ts'

export const RECORD_SCHEMA = 'badmx/run/1'

export const VERDICTS = [
  'pass',
  'flagged',
  'over-strict',
  'leak',
  'fail',
  'info',
  'unsupported',
  'not-exercised',
  'inconclusive',
  'error',
  'missing',
] as const
export type Verdict = (typeof VERDICTS)[number]

export const OUTCOMES = [
  'crashed',
  'hung',
  'lost',
  'delivered-cleartext',
  'delivered-unauthenticated-tls',
  'delivered-verified',
  'bounced',
  'deferred',
  'not-attempted',
  'inconclusive',
] as const
export type Outcome = (typeof OUTCOMES)[number]

/** An outcome that a run cut short does not know. */
export type FinalOutcome = Outcome | 'unknown'

/** A flag, why it was set and where. */
export interface FlagRaised {
  /** A word of the catalogue's section 3.3: `leak.credentials-clear`. */
  readonly flag: string
  /** What the flag table says for the cell's policy. */
  readonly weight: 'leak' | 'fail' | 'flagged' | 'info'
  /** One line of evidence: what was seen, where. */
  readonly detail: string
  readonly conn?: string
  readonly atMs?: number
  /** Octets into the direction and layer of the connection where the evidence begins. */
  readonly offset?: number
}

export interface AttemptRecord {
  readonly atMs: number
  readonly cause: 'first' | 'forced' | 'aged' | 'own'
  /** Where it is not the cell's: the attempt prepares for those that are judged. */
  readonly policy?: Policy
  readonly outcome: Outcome
  /** Ids of the connections, in order of opening. */
  readonly connections: readonly string[]
  /** Ids of the hosts that the client came to, each once, in order; records of 0.1.0 before it had MTAs lack it. */
  readonly hosts?: readonly string[]
  /** When the client had said how it ended. */
  readonly endedAtMs?: number
  /** Age of the message in seconds on the client's clock, where it is known. */
  readonly ageSeconds?: number
}

export interface ProofRecord {
  readonly behaviour: string
  readonly state: 'armed' | 'opportunity' | 'fired'
  readonly atMs: number
  readonly detail: string
  readonly host: string
  readonly conn?: string
}

export interface AssertRecord {
  /** The predicate's id. */
  readonly assert: string
  readonly held: boolean | 'not-applicable'
  readonly detail: string
}

export interface HelloRecord {
  /** Absent where the log is older than badmx's reading of point formats. */
  readonly ja3?: string
  readonly ja4: string
}

export interface CellRecord {
  /** `<family>/<id>/<policy>/<client>`. */
  readonly id: string
  /** `<family>/<id>`. */
  readonly scenario: string
  readonly title: string
  readonly severity: 'critical' | 'high' | 'medium' | 'low'
  readonly policy: Policy
  readonly judgedAs: Exclude<Policy, 'default'>
  readonly client: string
  readonly role: 'scenario' | 'harness-control' | 'client-control'
  readonly verdict: Verdict
  /** One sentence: what happened and why that is the verdict. */
  readonly reason: string
  readonly outcome: { readonly first: FinalOutcome; readonly final: FinalOutcome }
  /** The flags' words, sorted, each once. */
  readonly flags: readonly string[]
  readonly findings: readonly FlagRaised[]
  readonly asserts: readonly AssertRecord[]
  readonly attempts: readonly AttemptRecord[]
  readonly proof: readonly ProofRecord[]
  readonly expected: string
  readonly clause?: string
  /** What the client said of itself, last attempt. */
  readonly clientWord?: {
    readonly state: string
    readonly kind?: string
    readonly exitCode?: number
    readonly reason: string
  }
  /** What the presented credential proved, by badmx's own check of the last certificate presented. */
  readonly presented?: {
    readonly chain: boolean
    readonly validity: boolean
    readonly name: boolean
    readonly reasons: readonly string[]
  }
  /** Fingerprints of the ClientHellos that it sent in TLS records, each once, in order; records of before lack it. */
  readonly hellos?: readonly HelloRecord[]
  readonly durationMs: number
  readonly reproduce: string
  /** It was tried twice: once beside others, and, as that was spoilt (why), again alone. Absent where once was enough. */
  readonly again?: {
    readonly spoilt: string
    /** What this record is of: the second try, or the first where it has shown worse, which stands. */
    readonly counts: 'first' | 'second'
  }
  /** Set by `--known`: the deviation was expected, or it was and did not come. */
  readonly known?: { readonly reason: string; readonly unexpectedPass: boolean }
}

/** The fields of a cell of which nothing was seen. */
export const UNSEEN = {
  outcome: { first: 'unknown', final: 'unknown' },
  flags: [],
  findings: [],
  asserts: [],
  attempts: [],
  proof: [],
  durationMs: 0,
} as const satisfies Partial<CellRecord>

/** A connection that nobody asked for; no verdict rests on it. */
export interface UnexpectedRecord {
  /** The cell whose peer it came to, where it came to one. */
  readonly cell?: string
  readonly conn: string
  readonly atMs: number
  /** From where to where, and why it was not expected. */
  readonly detail: string
}

/** A resolver that is not badmx's own. */
export interface ResolverRecord {
  /** As `badmx run --resolver` names it: `unbound-modern`. */
  readonly profile: string
  readonly version: string
}

export interface RunRecord {
  readonly schema: typeof RECORD_SCHEMA
  readonly badmx: string
  readonly seed: number
  readonly timeScale: number
  readonly startedAt: string
  readonly finishedAt: string
  readonly interrupted: boolean
  readonly clients: readonly {
    readonly id: string
    readonly name: string
    readonly version: string
    readonly release?: string
    /** The settings that it ran with, where it keeps them in files. */
    readonly configuration?: string
  }[]
  /** Absent where clients asked badmx's own. */
  readonly resolver?: ResolverRecord
  readonly cells: readonly CellRecord[]
  /** Absent where there was none. */
  readonly unexpected?: readonly UnexpectedRecord[]
}
