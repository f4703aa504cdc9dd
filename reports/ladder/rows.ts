/**
 * What a ladder is made of: the story of one cell in order of time, ready to be drawn as text, SVG or a list.
 *
 * What always holds: every text in it is visible text (see ../text.ts), so that no drawing has to care who wrote it;
 * times are milliseconds since the cell began; rows are in order of time.
 */
import type { Verdict } from '../../scenarios/record.ts'

/** A gap between two lanes, or both: a message that passed the man in the middle unchanged. */
export type Span = 'client' | 'server' | 'both'

/** Common to every row. */
export interface Placed {
  /** Milliseconds since the cell began, at the end of what the row tells. */
  readonly at: number
  /** Counted from 1 in order of opening; 0 for rows of no connection. */
  readonly connection: number
  /** TLS is up between client and peer, and between peer and server, when the row is over. */
  readonly secured: { readonly client: boolean; readonly server: boolean }
}

/** Something to be seen in a message: a canary in clear, or the evidence of a finding. */
export interface Mark {
  readonly kind: 'leak' | 'fail' | 'flagged' | 'info' | 'canary'
  /** One line. */
  readonly text: string
}

export interface MessageRow extends Placed {
  readonly kind: 'message'
  readonly span: Span
  readonly from: 'client' | 'server'
  /** True inside TLS. */
  readonly tls: boolean
  /** `fragment` is neither command nor reply; `opaque` is TLS that nobody opened here. */
  readonly form: 'command' | 'reply' | 'content' | 'fragment' | 'opaque'
  /** A reply that answers no command. */
  readonly stray: boolean
  /** Its lines without line ends, abbreviated. */
  readonly lines: readonly string[]
  /** Octets in all, those that the event log left out included. */
  readonly length: number
  /** Octets of the stream (connection, side, direction, layer) before it. */
  readonly offset: number
  /** When its first octet came, milliseconds since the cell began. */
  readonly began: number
  /** In how many pieces it came. */
  readonly pieces: number
  readonly marks: readonly Mark[]
  /** The behaviour that sent this in the place of something else. */
  readonly inPlaceBy?: string
}

export interface ProofRow extends Placed {
  readonly kind: 'proof'
  readonly state: 'armed' | 'opportunity' | 'fired'
  readonly behaviour: string
  readonly host: string
  readonly detail: string
  /** The octets that were replaced or kept back, as lines; `gone`: not in what was sent in their place. */
  readonly original: readonly { readonly text: string; readonly gone: boolean }[]
}

export interface TlsRow extends Placed {
  readonly kind: 'tls'
  readonly span: 'client' | 'server'
  readonly state: 'hello' | 'presented' | 'up' | 'failed' | 'closed'
  readonly text: string
}

export interface ConnectionRow extends Placed {
  readonly kind: 'connection'
  readonly state: 'open' | 'closed'
  readonly text: string
}

export interface AttemptRow extends Placed {
  readonly kind: 'attempt'
  readonly text: string
}

/** A question of the client to its resolver, and the answer. */
export interface LookUpRow extends Placed {
  readonly kind: 'look-up'
  readonly text: string
}

/** Nothing happened for so long. */
export interface PauseRow extends Placed {
  readonly kind: 'pause'
  readonly ms: number
}

export type LadderRow = MessageRow | ProofRow | TlsRow | ConnectionRow | AttemptRow | LookUpRow | PauseRow

/** What the client said of one attempt. */
export interface Words {
  readonly attempt: number
  /** `failed, temporary, exit code 75` */
  readonly state: string
  readonly reason: string
  /** The end of its log; `at` in milliseconds since the cell began, where the event log tells. */
  readonly log: readonly { readonly text: string; readonly at?: number }[]
}

export interface Ladder {
  readonly id: string
  readonly scenario: string
  readonly title: string
  readonly severity: string
  readonly policy: string
  readonly client: string
  readonly verdict: Verdict
  readonly reason: string
  readonly expected: string
  readonly clause?: string
  readonly observed: string
  /** Findings and broken predicates, one line each. */
  readonly findings: readonly Mark[]
  readonly timeScale: number
  /** Two names, or three where there is a real server behind a man in the middle; the client's first. */
  readonly lanes: readonly string[]
  readonly rows: readonly LadderRow[]
  readonly words: readonly Words[]
  /** Why answers failed, as a resolver that is not badmx's own said it. */
  readonly resolver: readonly string[]
  readonly reproduce: string
}
