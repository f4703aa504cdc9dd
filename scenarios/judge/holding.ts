/** What a predicate says of an observation, and the ways to say it. */

export interface Holding {
  readonly held: boolean | 'not-applicable'
  /** One line. */
  readonly detail: string
}

export function held(detail: string): Holding {
  return { held: true, detail }
}

export function broken(detail: string): Holding {
  return { held: false, detail }
}

export function notApplicable(detail: string): Holding {
  return { held: 'not-applicable', detail }
}

/** Broken with the first detail of what was found, else held. */
export function unless(found: readonly string[] | string | undefined, otherwise: string): Holding {
  const first = typeof found === 'string' ? found : found?.[0]
  return first === undefined ? held(otherwise) : broken(first)
}
