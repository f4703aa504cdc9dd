/** What peers tell while a cell is under way: all that is known of a client that tells nothing itself. */
import type { LogEvent } from './events.ts'

export interface Wire {
  /** The events of a cell so far, in order. */
  eventsOf(cell: string): readonly LogEvent[]
  /** Calls back after each further event of a cell; returns what ends that. */
  watch(cell: string, hear: (event: LogEvent) => void): () => void
  /**
   * Calls back with each notice (RFC 3464) that comes to an envelope sender, one that has come already included; returns
   * what ends that. The notice stays where it is.
   */
  onNotice(sender: string, hear: (notice: Buffer) => void): () => void
}
