/**
 * What is made of the figures of paired rounds. Pure.
 *
 * Ratios are taken within a round and only then summed up: what slows a whole round down slows both sides of its ratio.
 */

/** The middle of several figures, with the range that they came from. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** @throws {RangeError} when there is no figure. */
export function spread(figures: readonly number[]): Spread {
  const sorted = [...figures].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const [min, max, upper] = [sorted[0], sorted.at(-1), sorted[middle]]
  if (min === undefined || max === undefined || upper === undefined) throw new RangeError('no figures')
  const lower = sorted.length % 2 === 0 ? (sorted[middle - 1] ?? upper) : upper
  return { median: (lower + upper) / 2, min, max }
}

/** Round by round `figures` ÷ `base`. @throws {RangeError} when there is no round that both have. */
export function pairedRatio(figures: readonly number[], base: readonly number[]): Spread {
  return spread(
    figures.flatMap((figure, round) => {
      const under = base[round]
      return under === undefined || under === 0 ? [] : [figure / under]
    }),
  )
}

/** Round by round `figures` − `base`. @throws {RangeError} when there is no round that both have. */
export function pairedDifference(figures: readonly number[], base: readonly number[]): Spread {
  return spread(
    figures.flatMap((figure, round) => {
      const under = base[round]
      return under === undefined ? [] : [figure - under]
    }),
  )
}

/** How far a ratio or a difference may go. */
export type Goal = { readonly atMost: number } | { readonly atLeast: number }

export function reaches(median: number, goal: Goal): boolean {
  return 'atMost' in goal ? median <= goal.atMost : median >= goal.atLeast
}
