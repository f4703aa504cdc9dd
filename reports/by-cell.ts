/** The event log sorted by cell: every view of a cell wants its own events, and a log has many cells. */
import type { LogEvent, RunBegun } from '../scenarios/events.ts'

/** Events of the run itself are left out. */
export function eventsByCell(log: Iterable<LogEvent>): ReadonlyMap<string, readonly LogEvent[]> {
  const cells = new Map<string, LogEvent[]>()
  for (const event of log) {
    if (event.cell === undefined) continue
    const own = cells.get(event.cell)
    if (own === undefined) cells.set(event.cell, [event])
    else own.push(event)
  }
  return cells
}

/** The first event of a log; undefined for a log that is none. */
export function runOf(log: readonly LogEvent[]): RunBegun | undefined {
  return log.find((event): event is RunBegun => event.type === 'run')
}
