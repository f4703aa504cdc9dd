/** The ladder of one session that belongs to no run: of `badmx serve` and `badmx strip`. */
import type { PeerEvent } from '../peers/events.ts'
import { buildLadder } from '../reports/ladder/build.ts'
import { renderLadderText } from '../reports/ladder/text.ts'
import type { LogEvent } from '../scenarios/events.ts'
import { type CellRecord, UNSEEN } from '../scenarios/record.ts'

/** The sessions of a log that has no run, in the order of their opening, by their numbers. */
export function sessionsOf(events: Iterable<LogEvent>): ReadonlyMap<string, readonly PeerEvent[]> {
  const sessions = new Map<string, PeerEvent[]>()
  for (const event of events) {
    if (!('conn' in event) || event.conn === undefined) continue
    if (event.type === 'conn' && event.state === 'open') sessions.set(event.conn, [event])
    else sessions.get(event.conn)?.push(event)
  }
  return sessions
}

/** The events of one session, from its opening on, as a ladder. */
export function sessionLadder(
  events: readonly PeerEvent[],
  options: { readonly color: boolean; readonly width: number },
): string {
  const [open] = events
  if (open?.type !== 'conn' || open.state !== 'open') throw new Error('a session begins with its opening')
  const client = `${open.remote.address}:${open.remote.port}`
  const id = open.conn
  const name = open.cell ?? `${open.local.address}:${open.local.port}`
  const record: CellRecord = {
    id,
    scenario: name,
    title: 'one session, recorded without a verdict',
    severity: 'low',
    policy: 'default',
    judgedAs: 'may',
    client,
    role: 'scenario',
    verdict: 'info',
    reason: 'served by hand: nothing is known of what the client was told to require',
    ...UNSEEN,
    expected: '-',
    reproduce: `the same client at ${open.local.address}:${open.local.port}`,
  }
  return renderLadderText(
    buildLadder(
      events.map((event) => ({ ...event, cell: id })),
      record,
    ),
    options,
  )
}
