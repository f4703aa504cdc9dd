/** The results as a table for people. Pure. */
import type { Comparison } from './contest.ts'
import { reaches } from './statistics.ts'

const HEAD = ['', 'of', 'against', 'median', 'min–max', 'goal', 'reached', 'itself']

export function toTable(comparisons: readonly Comparison[]): string {
  const rows = [HEAD, ...comparisons.map(toRow)]
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => [...(row[column] ?? '')].length)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length))
      .join('  ')
      .trimEnd(),
  )
  return [...lines, '', 'Medians of paired rounds; a ratio or difference is taken within its round.', ''].join('\n')
}

function toRow({ name, unit, base, by, against, own, goal }: Comparison): string[] {
  const itself = own === undefined ? '' : `${own.median.toFixed(0)} ${UNITS[unit]}`
  if (base === undefined) return [name, unit, '', '', '', '', '', itself]
  if (against === undefined || own === undefined) return [name, unit, base, 'not known here', '', '', '', '']
  const write = by === 'ratio' ? (figure: number) => figure.toFixed(2) : (figure: number) => `+${figure.toFixed(0)}`
  return [
    name,
    unit,
    base,
    write(against.median),
    `${write(against.min)}–${write(against.max)}`,
    goal === undefined ? '' : 'atMost' in goal ? `≤ ${write(goal.atMost)}` : `≥ ${write(goal.atLeast)}`,
    goal === undefined ? '' : reaches(against.median, goal) ? 'yes' : 'no',
    itself,
  ]
}

const UNITS: Readonly<Record<Comparison['unit'], string>> = {
  'CPU per session': 'µs',
  'CPU time': 'ms',
  throughput: 'MB/s',
  'queries per second': '/s',
  'cells per second': '/s',
  'octets per connection': 'octets',
  'wall time': 'ms',
}
