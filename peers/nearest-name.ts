/**
 * "Did you mean …?": the known name that a person most likely meant. Distance is the number of insertions, deletions,
 * substitutions and swaps of neighbours (optimal string alignment), letters compared without case.
 */

/**
 * The nearest of `names`, or undefined where none is near enough to be helpful. Ties go to the first in the alphabet.
 */
export function nearestName(word: string, names: Iterable<string>): string | undefined {
  return nearestNames(word, names, 1)[0]
}

/** Up to `count` of `names`, nearest first: misspellings, or else names that hold the word or that the word holds. */
export function nearestNames(word: string, names: Iterable<string>, count: number): string[] {
  const wanted = word.toLowerCase()
  const limit = Math.max(1, Math.floor(wanted.length / 3))
  const ranked = [...new Set(names)].map((name) => ({ name, away: distance(wanted, name.toLowerCase()) }))
  const misspelt = ranked.filter(({ away }) => away <= limit)
  const near = misspelt.length > 0 ? misspelt : ranked.filter(({ name }) => holds(wanted, name.toLowerCase()))
  near.sort((a, b) => a.away - b.away || (a.name < b.name ? -1 : 1))
  return near.slice(0, count).map(({ name }) => name)
}

function holds(a: string, b: string): boolean {
  return (a.length > 2 && b.includes(a)) || (b.length > 2 && a.includes(b))
}

function distance(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1]
      let best = Math.min(at(above, column) + 1, at(current, column - 1) + 1, at(above, column - 1) + (same ? 0 : 1))
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) best = Math.min(best, at(before, column - 2) + 1)
      current.push(best)
    }
    before = above
    above = current
  }
  return at(above, b.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}
