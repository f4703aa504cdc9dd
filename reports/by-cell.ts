/** The event log sorted by cell: every view of a cell wants its own events, and a log has many cells. */
import type { LogEvent, RunBegun } from '../scenarios/events.ts'
import type { CellRecord } from '../scenarios/record.ts'

export interface CellLog {
  /** The run that the cell is of: a log of several shards has several, each with a clock of its own. */
  readonly run?: RunBegun
  /** In the order of the log; of its last try, where it was tried twice. */
  readonly events: readonly LogEvent[]
  /** Of a try before that, which was spoilt. */
  readonly spoilt?: readonly LogEvent[]
}

/** Events of the run itself are left out. */
export function logsByCell(log: Iterable<LogEvent>): ReadonlyMap<string, CellLog> {
  const cells = new Map<string, { run?: RunBegun; events: LogEvent[]; spoilt?: LogEvent[] }>()
  let run: RunBegun | undefined
  for (const event of log) {
    if (event.type === 'run') run = event
    if (event.cell === undefined) continue
    const own = cells.get(event.cell)
    if (own === undefined) cells.set(event.cell, { ...(run === undefined ? {} : { run }), events: [event] })
    else if (event.type === 'cell' && event.alone === true) {
      own.spoilt = own.events
      own.events = [event]
    } else own.events.push(event)
  }
  return cells
}

/** The log of the try that a record is of; empty where there is none. */
export function logOf(logs: ReadonlyMap<string, CellLog>, { id, again }: CellRecord): CellLog {
  const log = logs.get(id) ?? { events: [] }
  if (again?.counts !== 'first' || log.spoilt === undefined) return log
  return { ...log, events: log.spoilt }
}
