/**
 * The flaws of the reference client: each takes decisions of the correct client ({@link ./decisions.ts}) differently.
 * A new flaw is one entry in one of the tables in `flaws/`; a new kind of decision is a field of `Decisions` first.
 */
import { CORRECT, type Decisions } from './decisions.ts'
import { CERTIFICATE_FLAWS } from './flaws/certificates.ts'
import { DANE_FLAWS } from './flaws/dane.ts'
import { PASSWORD_FLAWS } from './flaws/passwords.ts'
import { QUEUE_FLAWS } from './flaws/queue.ts'
import { REPLY_FLAWS } from './flaws/replies.ts'
import { REPORT_FLAWS } from './flaws/reports.ts'
import { SESSION_FLAWS } from './flaws/sessions.ts'
import { STARTTLS_FLAWS } from './flaws/starttls.ts'

/** Name to one-line meaning, all flaws. */
export const FLAWS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(allFlaws()).map(([name, { meaning }]) => [name, meaning]),
)

/** The correct client's decisions with those of the flaws over them, the later flaw first. Throws on an unknown name. */
export function decisionsWith(flaws: readonly string[]): Decisions {
  const all = allFlaws()
  const taken = flaws.map((name) => {
    const flaw = Object.hasOwn(all, name) ? all[name] : undefined
    if (flaw === undefined) throw new RangeError(`no flaw "${name}"; known: ${Object.keys(FLAWS).sort().join(', ')}`)
    return flaw.decide
  })
  return Object.assign({}, CORRECT, ...taken)
}

/** One flaw. */
export interface Flaw {
  /** Present tense, one line: what the client does wrong. */
  readonly meaning: string
  readonly decide: Partial<Decisions>
}

export type FlawTable = Readonly<Record<string, Flaw>>

function allFlaws(): FlawTable {
  return {
    ...REPLY_FLAWS,
    ...STARTTLS_FLAWS,
    ...CERTIFICATE_FLAWS,
    ...PASSWORD_FLAWS,
    ...REPORT_FLAWS,
    ...SESSION_FLAWS,
    ...QUEUE_FLAWS,
    ...DANE_FLAWS,
  }
}
