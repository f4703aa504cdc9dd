/**
 * The filter's language: words apart by spaces, all of which must hold. `key:value` compares a field, `key:a,b` with either,
 * quotes keep spaces, `-` in front excludes, a word alone is searched for in the ids and the title. Pure.
 */

/** What is asked of one cell of the matrix. */
export interface Subject {
  readonly client: string
  readonly policy: string
  readonly verdict: string
  readonly family: string
  readonly scenario: string
  readonly title: string
  readonly severity: string
  readonly flags: readonly string[]
  /** `finding`, `trouble`, `different`, `known`, `control`. */
  readonly is: readonly string[]
}

export interface Term {
  /** Empty for a word alone. */
  readonly key: string
  /** Lower case, at least one. */
  readonly values: readonly string[]
  readonly not: boolean
}

export const KEYS = ['client', 'policy', 'verdict', 'family', 'scenario', 'severity', 'flag', 'is']

/** A key that is none is a word like any other, colon included. */
export function parseQuery(query: string): readonly Term[] {
  const terms: Term[] = []
  for (const [raw] of query.matchAll(/-?(?:[a-z]+:)?(?:"[^"]*"?|[^\s"]+)+/gi)) {
    const not = raw.startsWith('-') && raw.length > 1
    const word = not ? raw.slice(1) : raw
    const colon = word.indexOf(':')
    const key = word.slice(0, Math.max(0, colon)).toLowerCase()
    const known = KEYS.includes(key)
    const values = (known ? word.slice(colon + 1) : word)
      .match(/(?:"[^"]*"?|[^,"])+/g)
      ?.map((value) => value.replaceAll('"', '').toLowerCase())
      .filter((value) => value !== '')
    if (values !== undefined && values.length > 0) terms.push({ key: known ? key : '', values, not })
  }
  return terms
}

export function matches(subject: Subject, terms: readonly Term[]): boolean {
  return terms.every((term) => term.values.some((value) => holds(subject, term.key, value)) !== term.not)
}

function holds(subject: Subject, key: string, value: string): boolean {
  switch (key) {
    case 'client':
      return subject.client.toLowerCase() === value || subject.client.toLowerCase().startsWith(`${value}@`)
    case 'policy':
      return subject.policy === value
    case 'verdict':
      return subject.verdict === value
    case 'family':
      return subject.family === value
    case 'severity':
      return subject.severity === value
    case 'scenario':
      return subject.scenario.toLowerCase().includes(value)
    case 'flag':
      return subject.flags.some((flag) => flag.toLowerCase().startsWith(value))
    case 'is':
      return subject.is.includes(value)
    default:
      return `${subject.scenario} ${subject.title} ${subject.client} ${subject.policy}`.toLowerCase().includes(value)
  }
}

/** The query with a term put in, or taken out where it stands already. */
export function toggled(query: string, term: string): string {
  const words = query.split(/\s+/).filter((word) => word !== '')
  return (words.includes(term) ? words.filter((word) => word !== term) : [...words, term]).join(' ')
}
