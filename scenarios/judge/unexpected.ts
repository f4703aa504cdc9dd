/**
 * Connections that nobody asked for: of a client that delivers while it is told to and at no other time, made while it was
 * not, and those to an address at which no cell is. They belong to no attempt, so no verdict rests on them. Pure.
 */
import type { CellBegun, LogEvent } from '../events.ts'
import type { UnexpectedRecord } from '../record.ts'

/** In the order in which they were made. */
export function unexpectedConnections(events: Iterable<LogEvent>): UnexpectedRecord[] {
  const kinds = new Map<string, CellBegun['kind']>()
  const delivering = new Set<string>()
  const found: UnexpectedRecord[] = []
  for (const event of events) {
    if (event.type === 'cell') kinds.set(event.cell, event.kind)
    else if (event.type === 'attempt' && event.state === 'begun') delivering.add(event.cell)
    else if (event.type === 'client') delivering.delete(event.cell)
    if (event.type !== 'conn' || event.state !== 'open') continue
    const { cell, conn, t, host, local, remote } = event
    if (cell !== undefined && (delivering.has(cell) || kinds.get(cell) === 'queue')) continue
    const why = cell === undefined ? 'where no cell is' : 'while the client had nothing to deliver'
    const detail = `from ${remote.address}:${remote.port} to ${host}, ${local.address}:${local.port}, ${why}`
    found.push({ ...(cell === undefined ? {} : { cell }), conn, atMs: t, detail })
  }
  return found
}
