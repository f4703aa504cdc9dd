/**
 * What a behaviour is: one named, parametrised misbehaviour (or quirk) of a server or a network, as a pure layer.
 *
 * One file per behaviour, `peers/behaviours/<id>.ts`, found by listing the folder; it exports `behaviour`, and the id is
 * the file's name. A behaviour says by itself when it had its chance (`opportunity`) and when it did its thing (`fired`).
 */
import type { z } from 'zod'
import type { TlsLayer } from './tls/legacy/layer.ts'
import type { Layer } from './wire/units.ts'

/**
 * The moments of an SMTP session that a behaviour can shape, in the order in which a client meets them. Two behaviours of
 * one stack that shape the same moment hide each other's evidence, and so does one that ends the session or the
 * moment's visibility before another gets its chance; such stacks are refused ({@link Behaviour.shapes},
 * {@link Behaviour.hides}).
 */
export const MOMENTS = [
  'connect',
  'banner',
  'ehlo-command',
  'ehlo-reply',
  'starttls-command',
  'starttls-reply',
  'after-220',
  'handshake',
  'ehlo-in-tls',
  'auth',
  'mail',
  'rcpt',
  'data',
  'quit',
] as const
export type Moment = (typeof MOMENTS)[number]

/** All moments that come after one: what a behaviour hides that ends the session there. */
export function after(moment: Moment): readonly Moment[] {
  return MOMENTS.slice(MOMENTS.indexOf(moment) + 1)
}

/** What a behaviour may know of the connection that its layer serves. */
export interface BehaviourContext {
  /** Ordinal of this connection at its peer, counted from 1 in order of arrival. */
  readonly visit: number
  /** Seeded by run, peer, behaviour and visit: uniform in [0, 1). */
  readonly random: () => number
  /** The client's address as text, for behaviours that choose by source. */
  readonly clientAddress: string
  /** The name that the peer calls itself. */
  readonly hostName: string
  /** Shared by all connections of this behaviour at this peer; lives as long as the peer. */
  readonly memory: Map<string, unknown>
}

interface BehaviourText<Parameters> {
  /** Verb-object, kebab-case, equal to the file's name: `hide-starttls`. */
  readonly id: string
  /** One line, present tense, what it does on the wire. */
  readonly title: string
  /** RFC sections, CVEs, product documents, field reports. */
  readonly source: readonly string[]
  /** zod schema of the parameters, with a description (unit, range) and a default on each: `{}` must parse. */
  readonly parameters: z.ZodType<Parameters>
  /** Set when it acts on the TCP connection under TLS: ends TLS and goes on in clear, or sends FIN without close_notify. */
  readonly underTls?: boolean
  readonly shapes: readonly Moment[]
  /** Moments that no client can reach, or no later layer can observe, once this behaviour has fired. */
  readonly hides: readonly Moment[]
}

/** `smtp` sees commands and replies (above TLS); `record` sees the client's octets under TLS as they are on TCP. */
export interface WireBehaviour<Parameters = unknown> extends BehaviourText<Parameters> {
  readonly plane: 'smtp' | 'record'
  create(parameters: Parameters, context: BehaviourContext): Layer
}

/** Sees the messages of the legacy TLS engine before they are encrypted; only for peers that have it. */
export interface TlsBehaviour<Parameters = unknown> extends BehaviourText<Parameters> {
  readonly plane: 'tls'
  create(parameters: Parameters, context: BehaviourContext): TlsLayer
}

export type Behaviour<Parameters = unknown> = WireBehaviour<Parameters> | TlsBehaviour<Parameters>

/** Keeps the type of the parameters; the way every behaviour file makes its export. */
export function defineBehaviour<Parameters>(behaviour: WireBehaviour<Parameters>): WireBehaviour<Parameters> {
  return behaviour
}

/** The same for the plane `tls`. */
export function defineTlsBehaviour<Parameters>(behaviour: TlsBehaviour<Parameters>): TlsBehaviour<Parameters> {
  return behaviour
}

/** One member of a stack, as a scenario or a persona writes it: `hide-starttls` or `{ use, with, fires }`. */
export interface StackItem {
  readonly use: string
  readonly with?: Readonly<Record<string, unknown>>
  /** Whether a verdict needs its firing: `must` (default), `may` (a companion), `must-not` (its point is an absence). */
  readonly fires?: 'must' | 'may' | 'must-not'
}
