/**
 * "Did you mean …?": the known name that a person most likely meant. Distance is the number of insertions, deletions,
 * substitutions and swaps of neighbours (optimal string alignment), letters compared without case.
 */

/** The nearest of `names`, or undefined where none is near enough to be helpful. Ties go to the first in the alphabet. */
export function nearestName(word: string, names: Iterable<string>): string | undefined {
  return nearestNames(word, names, 1)[0]
}

/** Up to `count` of `names`, nearest first; names that hold the word (or that the word holds) come after misspellings. */
export function nearestNames(word: string, names: Iterable<string>, count: number): string[] {
  const wanted = word.toLowerCase()
  const limit = Math.max(1, Math.floor(wanted.length / 3))
  const ranked: { name: string; rank: number }[] = []
  for (const name of new Set(names)) {
    const known = name.toLowerCase()
    const away = distance(wanted, known)
    if (away <= limit) ranked.push({ name, rank: away })
    else if (wanted.length > 2 && (known.includes(wanted) || (known.length > 2 && wanted.includes(known))))
      ranked.push({ name, rank: limit + away })
  }
  ranked.sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1))
  return ranked.slice(0, count).map((entry) => entry.name)
}

function distance(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1]
      let best = Math.min(
        at(above, column) + 1,
        at(current, column - 1) + 1,
        at(above, column - 1) + (same ? 0 : 1),
      )
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
