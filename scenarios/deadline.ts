/** How long a client may say nothing before it is taken for hung. Pure. */
import type { PlannedCell } from './plan.ts'

/** The longest limit of RFC 5321 §4.5.3.2 (the final dot) in milliseconds: no sound client waits longer for a reply. */
const LONGEST_LIMIT_MS = 600_000
/** What starting a program, a TLS handshake and large content may take on a busy machine, in milliseconds; not scaled. */
const START_MS = 6_000
/** What an MTA may take on top, in milliseconds: its processes serve all cells, and one waits for another's turn. */
const TURN_MS = 16_000

/** Milliseconds after which a client that says nothing is taken for hung: the limit ÷ scale, and its start. */
export function deadlineFor(timeScale: number, kind: PlannedCell['kind'] = 'one-shot'): number {
  return Math.ceil(LONGEST_LIMIT_MS / timeScale) + START_MS + (kind === 'queue' ? TURN_MS : 0)
}

/** A client waits at each host that it tries; five is what Postfix tries in one attempt. */
export function deadlineOf({ scenario, kind }: PlannedCell, timeScale: number): number {
  return deadlineFor(timeScale, kind) * Math.min(5, Object.keys(scenario.hosts).length)
}
