/**
 * The run record as a file, `badmx/run/1`: what other programs read. The fields that the schema promises come first, in
 * the run and in every cell; the long list of cells is last. Characters that could steer a terminal or end a script
 * element are escaped, which changes no value.
 */
import type { CellRecord } from '../../scenarios/record.ts'
import type { ReportFormat } from '../format.ts'
import { jsonText } from '../text.ts'

export const format: ReportFormat = {
  id: 'json',
  file: 'run.json',
  title: 'The run record, badmx/run/1, for other programs',
  render(record) {
    const { schema, badmx, seed, startedAt, finishedAt, clients, cells, ...rest } = record
    const ordered = { schema, badmx, seed, startedAt, finishedAt, clients, ...rest, cells: cells.map(coreFirst) }
    return `${jsonText(ordered, 2)}\n`
  },
}

const CORE = [
  ...(['id', 'scenario', 'policy', 'client', 'verdict', 'reason', 'outcome', 'flags', 'attempts', 'proof'] as const),
  ...(['expected', 'clause'] as const),
]

/** Keys that come twice keep their first place. */
function coreFirst(cell: CellRecord): object {
  const core = CORE.filter((key) => key in cell).map((key) => [key, cell[key]])
  return { ...Object.fromEntries(core), ...cell }
}
