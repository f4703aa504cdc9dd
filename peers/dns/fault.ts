/**
 * What a DNS fault is: one way in which a name server, or a box in front of it, answers wrongly.
 *
 * One file per fault, `peers/dns/faults/<id>.ts`, found by listing the folder; it exports `fault`, and the id is the
 * file's name. A fault is pure: it is shown a query that is its own ({@link FaultItem} says which are) together with
 * the sound answer, and says what leaves instead. That it was in place, had its chance and did its thing is written
 * into the log by the server that it stands at: a chance is a query of its own that it changes the answer of, and it
 * has fired when what it gave back has left.
 */
import type { z } from 'zod'
import type { Message, Question } from './message.ts'
import type { ServedZone } from './served-zone.ts'

/** A query that is the fault's own, and what there is to answer. */
export interface Exchange {
  readonly query: Message
  readonly question: Question
  readonly transport: 'udp' | 'tcp'
  /** The zone that answers. */
  readonly zone: ServedZone
  /** The zone that the fault was put into: `zone`, or the one that `zone` delegates (see {@link Fault.side}). */
  readonly own: ServedZone
  /** The sound answer, made when asked for; to another query where a box has changed it. */
  answer(query?: Message): Message
}

/** What leaves instead of the sound answer: a message, octets that need not be one, or nothing at all. */
export type FaultyAnswer =
  | { readonly send: Message | Buffer; readonly detail: string }
  | { readonly send: 'nothing'; readonly detail: string }
  /** The TCP connection is ended by FIN, without an answer. On UDP that is nothing at all. */
  | { readonly send: 'close'; readonly detail: string }

export interface Fault<Parameters = unknown> {
  /** Verb-object, kebab-case, equal to the file's name: `drop-queries`. */
  readonly id: string
  /** One line, present tense, what it does on the wire. */
  readonly title: string
  /** RFC sections, bug reports, field reports. */
  readonly source: readonly string[]
  /** `parent`: it is the zone above that answers wrongly, about the zone that the fault was put into. */
  readonly side?: 'parent'
  /** zod schema of the parameters, with a description (unit, range) and a default on each: `{}` must parse. */
  readonly parameters: z.ZodType<Parameters>
  /** What leaves instead; undefined where this query gives it no chance: the sound answer passes. */
  respond(exchange: Exchange, parameters: Parameters): FaultyAnswer | undefined
}

/** Keeps the type of the parameters; the way every fault file makes its export. */
export function defineFault<Parameters>(fault: Fault<Parameters>): Fault<Parameters> {
  return fault
}

/**
 * A fault in a zone, as a scenario writes it. The first of a zone's faults that changes an answer is the one that does.
 */
export interface FaultItem {
  readonly use: string
  readonly with?: Readonly<Record<string, unknown>>
  /** The query name that is its own, relative to the zone, `@` for the apex; default any. `*.x` is any name below x. */
  readonly name?: string
  /** The query types that are its own; default any. */
  readonly types?: readonly string[]
  /** The name servers that do it, by name; default all of the zone's. */
  readonly servers?: readonly string[]
  readonly transport?: 'udp' | 'tcp'
  /** At the name server (default), or at the box in front of it. */
  readonly at?: 'server' | 'middlebox'
  /** Milliseconds until what it gives back leaves, before the run's time scale. */
  readonly delayMs?: number
  /**
   * Whether a verdict needs its firing: `must` (default), `may` (a companion), `must-not` (its point is an absence).
   */
  readonly fires?: 'must' | 'may' | 'must-not'
}
