/** The event log sorted by cell: every view of a cell wants its own events, and a log has many cells. */
import type { LogEvent, RunBegun } from '../scenarios/events.ts'

export interface CellLog {
  /** The run that the cell is of: a log of several shards has several, each with a clock of its own. */
  readonly run?: RunBegun
  /** In the order of the log. */
  readonly events: readonly LogEvent[]
}

/** Events of the run itself are left out. */
export function logsByCell(log: Iterable<LogEvent>): ReadonlyMap<string, CellLog> {
  const cells = new Map<string, { readonly run?: RunBegun; readonly events: LogEvent[] }>()
  let run: RunBegun | undefined
  for (const event of log) {
    if (event.type === 'run') run = event
    if (event.cell === undefined) continue
    const own = cells.get(event.cell)
    if (own === undefined) cells.set(event.cell, { ...(run === undefined ? {} : { run }), events: [event] })
    else own.events.push(event)
  }
  return cells
}
