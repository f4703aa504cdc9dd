/**
 * TAP 14, the Test Anything Protocol (testanything.org), one test point per cell, in the order of the record.
 *
 * What always holds: a cell that fails the run, or has no result, is `not ok`; what says nothing about the client is
 * skipped with its reason; a known deviation is `not ok … # TODO`, which harnesses do not count, and one that did not
 * come is `ok … # TODO`, which they report. Everything but a plain pass has a YAML block.
 */
import type { CellRecord } from '../../scenarios/record.ts'
import type { ReportFormat } from '../format.ts'
import { gate, type Weight, weigh } from '../gate.ts'
import { headlines, sentence } from '../headline.ts'
import { jsonText, visible } from '../text.ts'

export const format: ReportFormat = {
  id: 'tap',
  file: 'results.tap',
  title: 'TAP 14, for test harnesses',
  render(record, options = {}) {
    const lines = ['TAP version 14', `1..${record.cells.length}`]
    for (const headline of headlines(record, options)) lines.push(`# ${sentence(headline)}`)
    record.cells.forEach((cell, index) => {
      const weight = weigh(cell, options)
      const ok = weight === 'fine' || weight === 'neutral'
      const name = escaped(`${cell.client} ${cell.policy} ${cell.scenario}${/#\d+$/.exec(cell.id)?.[0] ?? ''}`)
      lines.push(`${ok ? 'ok' : 'not ok'} ${index + 1} - ${name}${directive(cell, weight)}`)
      if (cell.verdict !== 'pass' || cell.known !== undefined) lines.push(...diagnostics(cell))
    })
    for (const reason of gate(record, options).reasons) lines.push(`# ${visible(reason)}`)
    return `${lines.join('\n')}\n`
  },
}

function directive(cell: CellRecord, weight: Weight): string {
  const known = weight === 'known' || cell.known?.unexpectedPass ? cell.known : undefined
  if (known !== undefined) return ` # TODO ${escaped(known.reason)}`
  return weight === 'neutral' ? ` # SKIP ${escaped(`${cell.verdict}: ${cell.reason}`)}` : ''
}

/** The TAP 14 escapes: a hash would begin a directive. */
function escaped(text: string): string {
  return visible(text).replace(/[\\#]/g, '\\$&')
}

function diagnostics(cell: CellRecord): string[] {
  const fields: Readonly<Record<string, unknown>> = {
    verdict: cell.verdict,
    reason: cell.reason,
    severity: cell.severity,
    expected: cell.expected,
    ...(cell.clause === undefined ? {} : { clause: cell.clause }),
    outcome: cell.outcome,
    flags: cell.flags,
    proof: cell.proof.map((proof) => `${proof.state} ${proof.behaviour}: ${proof.detail}`),
    ...(cell.known === undefined ? {} : { known: cell.known }),
    reproduce: cell.reproduce,
  }
  return ['  ---', ...Object.entries(fields).map(([key, value]) => `  ${key}: ${jsonText(value)}`), '  ...']
}
