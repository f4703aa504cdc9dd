/** The results as a table for people. Pure. */
import { type Comparison, ROUNDS } from './comparison.ts'
import { type Goal, reaches, type Spread } from './statistics.ts'

const HEAD = ['', 'of', '× base', 'median', 'min–max', 'goal', 'reached', 'itself']

export function toTable(comparisons: readonly Comparison[]): string {
  const rows = [HEAD, ...comparisons.map(toRow)]
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => [...(row[column] ?? '')].length)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length))
      .join('  ')
      .trimEnd(),
  )
  return [...lines, '', `Medians of ${ROUNDS} paired rounds; a ratio is taken within its round.`, ''].join('\n')
}

function toRow({ name, unit, base, ratio, own, goal }: Comparison): string[] {
  if (ratio === undefined || own === undefined) return [name, unit, base, 'not known here', '', '', '', '']
  return [
    name,
    unit,
    base,
    ratio.median.toFixed(2),
    range(ratio),
    goal === undefined ? '' : goalText(goal),
    goal === undefined ? '' : reaches(ratio.median, goal) ? 'yes' : 'no',
    unit === 'throughput' ? `${own.median.toFixed(0)} MB/s` : `${own.median.toFixed(0)} µs`,
  ]
}

function range({ min, max }: Spread): string {
  return `${min.toFixed(2)}–${max.toFixed(2)}`
}

function goalText(goal: Goal): string {
  return 'atMost' in goal ? `≤ ${goal.atMost.toFixed(2)}` : `≥ ${goal.atLeast.toFixed(2)}`
}
