/** Keeps the events of a run by cell while it is under way, and passes them on to who waits for them. */
import type { LogEvent } from '../scenarios/events.ts'
import type { Wire } from '../scenarios/wire.ts'

type Listeners<Heard> = Map<string, Set<(heard: Heard) => void>>

export class WireTap implements Wire {
  /** Where bounces come home to, once it is there. */
  home: Pick<Wire, 'onNotice'> | undefined
  private readonly events = new Map<string, LogEvent[]>()
  private readonly listeners: Listeners<LogEvent> = new Map()

  hear(event: LogEvent): void {
    const cell = 'cell' in event ? event.cell : undefined
    if (cell === undefined) return
    const own = this.events.get(cell)
    if (own === undefined) this.events.set(cell, [event])
    else own.push(event)
    for (const hear of this.listeners.get(cell) ?? []) hear(event)
    if (event.type === 'cell-end') this.events.delete(cell)
  }

  eventsOf(cell: string): readonly LogEvent[] {
    return this.events.get(cell) ?? []
  }

  watch(cell: string, hear: (event: LogEvent) => void): () => void {
    return listen(this.listeners, cell, hear)
  }

  onNotice(sender: string, hear: (notice: Buffer) => void): () => void {
    return this.home?.onNotice(sender, hear) ?? (() => {})
  }
}

/** Adds a listener; returns what takes it away again. */
export function listen<Heard>(listeners: Listeners<Heard>, key: string, hear: (heard: Heard) => void): () => void {
  const own = listeners.get(key) ?? new Set()
  listeners.set(key, own)
  own.add(hear)
  return () => {
    own.delete(hear)
    if (own.size === 0) listeners.delete(key)
  }
}
