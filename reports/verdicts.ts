/**
 * How verdicts look and in which order they are told, the same in every report: a glyph and the word, never a colour
 * alone. Glyphs are one column wide in a terminal and are no emoji.
 */
import type { Verdict } from '../scenarios/record.ts'

export type Colour = 'red' | 'yellow' | 'green' | 'dim'

export interface VerdictLook {
  readonly glyph: string
  readonly colour: Colour
}

/** The keys stand in the order in which reports tell the verdicts: what matters most comes first. */
export const VERDICT_LOOKS: Readonly<Record<Verdict, VerdictLook>> = {
  leak: { glyph: '▲', colour: 'red' },
  fail: { glyph: '✗', colour: 'red' },
  flagged: { glyph: '⚑', colour: 'yellow' },
  'over-strict': { glyph: '⊘', colour: 'yellow' },
  error: { glyph: '■', colour: 'yellow' },
  inconclusive: { glyph: '?', colour: 'yellow' },
  missing: { glyph: '∅', colour: 'yellow' },
  pass: { glyph: '✓', colour: 'green' },
  info: { glyph: '∙', colour: 'dim' },
  'not-exercised': { glyph: '○', colour: 'dim' },
  unsupported: { glyph: '–', colour: 'dim' },
}

/** All verdicts, what matters most first. */
export const VERDICT_ORDER = Object.keys(VERDICT_LOOKS) as readonly Verdict[]

/** `▲ leak` */
export function labelled(verdict: Verdict): string {
  return `${VERDICT_LOOKS[verdict].glyph} ${verdict}`
}

/** How many of the cells have each verdict, verdicts that do not occur left out, what matters most first. */
export function tally(cells: readonly { readonly verdict: Verdict }[]): readonly (readonly [Verdict, number])[] {
  return VERDICT_ORDER.map(
    (verdict) => [verdict, cells.filter((cell) => cell.verdict === verdict).length] as const,
  ).filter(([, number]) => number > 0)
}
