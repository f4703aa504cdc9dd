/**
 * The heart: an event log in, a run record out. Pure; the log alone decides, so that a saved one gives the same verdicts
 * without any network.
 *
 * What always holds: every planned cell is in the record, in the order of the plan; one of which the log has no end is
 * `missing`; the controls have been applied. A cell that was tried twice has one record of both. In a log of several shards,
 * that is the plan of all of them, and of a control that each has run the worst end counts.
 */
import type { CellBegun, ClientConfigured, LogEvent, RunBegun, RunEnded } from '../events.ts'
import { type CellRecord, RECORD_SCHEMA, type RunRecord, type Verdict } from '../record.ts'
import { ofBothTries } from './both-tries.ts'
import { judgeCell, missingCell } from './cell.ts'
import { applyControls } from './controls.ts'
import { LogError } from './log-error.ts'
import { unexpectedConnections } from './unexpected.ts'

interface OpenCell {
  readonly begun: CellBegun
  readonly events: LogEvent[]
}

/**
 * Judges a log; events of shards that ran beside each other may be mixed, those of one cell in their order.
 *
 * @throws {LogError} when there is no `run` event.
 */
export function judge(log: Iterable<LogEvent>): RunRecord {
  const events = [...log]
  const runs: RunBegun[] = []
  const ends: RunEnded[] = []
  const configured: ClientConfigured[] = []
  const open = new Map<string, OpenCell>()
  const judged = new Map<string, CellRecord>()
  /** Of cells whose second try is to come. */
  const spoilt = new Map<string, { readonly record: CellRecord; readonly why: string }>()
  const settle = (record: CellRecord): void => {
    const other = judged.get(record.id)
    if (other === undefined || badness(record) > badness(other)) judged.set(record.id, record)
  }
  const settleTry = ({ begun, events: own }: OpenCell): void => {
    const record = judgeCell(begun, own)
    const end = own.at(-1)
    const first = begun.alone === true ? spoilt.get(record.id) : undefined
    if (end?.type === 'cell-end' && end.status === 'spoilt' && begun.alone !== true)
      spoilt.set(record.id, { record, why: end.reason ?? record.reason })
    else settle(first === undefined ? record : ofBothTries(first.record, first.why, record))
    if (begun.alone === true) spoilt.delete(record.id)
  }
  let lastAt = 0
  for (const event of events) {
    lastAt = Math.max(lastAt, event.t)
    if (event.type === 'run') runs.push(event)
    else if (event.type === 'end') ends.push(event)
    else if (event.type === 'configured') configured.push(event)
    else if (event.type === 'late') for (const cell of open.values()) cell.events.push(event)
    else if (event.type === 'cell') open.set(event.cell, { begun: event, events: [event] })
    else if (event.cell !== undefined) {
      const cell = open.get(event.cell)
      if (cell === undefined) continue
      cell.events.push(event)
      if (event.type !== 'cell-end') continue
      open.delete(event.cell)
      settleTry(cell)
    }
  }
  for (const cell of open.values()) settleTry(cell)
  for (const { record } of spoilt.values()) settle(record)
  const [first] = runs
  if (first === undefined) throw new LogError('the log has no run event', 'an event of type "run" before all others')
  const planned = [...new Set(runs.flatMap(({ cells, whole }) => (runs.length > 1 && whole) || cells))]
  const unexpected = unexpectedConnections(events)
  const others = [...judged.keys()].filter((id) => !planned.includes(id))
  const cells = [...planned, ...others].map((id) => judged.get(id) ?? missingCell(id))
  return {
    schema: RECORD_SCHEMA,
    badmx: first.badmx,
    seed: first.seed,
    timeScale: first.timeScale,
    startedAt: runs.map(({ startedAt }) => startedAt).sort()[0] ?? first.startedAt,
    finishedAt: finishedAt(first, ends, lastAt),
    interrupted: ends.length < runs.length || ends.some(({ interrupted }) => interrupted),
    clients: clientsOf(runs, configured),
    ...(first.resolver === undefined ? {} : { resolver: first.resolver }),
    cells: applyControls(cells),
    ...(unexpected.length === 0 ? {} : { unexpected }),
  }
}

/** The verdicts that a control which several shards have run may have, from good to bad. */
const FROM_GOOD_TO_BAD: readonly Verdict[] = [
  ...(['pass', 'info', 'not-exercised', 'unsupported', 'flagged', 'over-strict'] as const),
  ...(['missing', 'inconclusive', 'fail', 'leak', 'error'] as const),
]

function badness({ verdict }: CellRecord): number {
  return FROM_GOOD_TO_BAD.indexOf(verdict)
}

/** The end that the log tells, or the time of its last event. */
function finishedAt(first: RunBegun, ends: readonly RunEnded[], lastAt: number): string {
  const told = ends
    .map((end) => end.finishedAt)
    .sort()
    .at(-1)
  if (told !== undefined) return told
  const started = Date.parse(first.startedAt)
  return Number.isNaN(started) ? first.startedAt : new Date(started + lastAt).toISOString()
}

function clientsOf(runs: readonly RunBegun[], configured: readonly ClientConfigured[]): RunRecord['clients'] {
  const clients = new Map<string, RunRecord['clients'][number]>()
  for (const { id, name, version, release } of runs.flatMap((run) => run.clients)) {
    const { configuration, version: own } = configured.findLast(({ client }) => client === id) ?? {}
    clients.set(id, {
      ...{ id, name, version: own ?? version },
      ...(release === undefined ? {} : { release }),
      ...(configuration === undefined ? {} : { configuration }),
    })
  }
  return [...clients.values()]
}
