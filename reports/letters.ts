/** What the letters of an expectation mean, for people: the catalogue, section 3, has them in full. */

const LETTERS: Readonly<Record<string, string>> = {
  V: 'delivered to a verified peer',
  U: 'delivered in TLS, unverified',
  C: 'delivered in clear',
  D: 'deferred',
  B: 'bounced',
  'w:': 'tolerated, but flagged',
}

/** The letters that stand in an expectation, each with its meaning, in a fixed order. */
export function lettersOf(expected: string): readonly (readonly [letter: string, meaning: string])[] {
  return Object.entries(LETTERS).filter(([letter]) => expected.includes(letter))
}
