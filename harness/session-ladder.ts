/** The ladder of one session that belongs to no run: of `badmx serve` and `badmx strip`. */
import { buildLadder } from '../reports/ladder/build.ts'
import { renderLadderText } from '../reports/ladder/text.ts'
import type { LogEvent } from '../scenarios/events.ts'
import type { CellRecord } from '../scenarios/record.ts'

/** The events of the session as a ladder; `name` is the scenario or persona that it met. */
export function sessionLadder(
  events: readonly LogEvent[],
  name: string,
  options: { readonly color: boolean; readonly width: number },
): string {
  const [open] = events
  const client =
    open?.type === 'conn' && open.state === 'open' ? `${open.remote.address}:${open.remote.port}` : 'client'
  const id = open?.type === 'conn' ? open.conn : name
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
    outcome: { first: 'unknown', final: 'unknown' },
    flags: [],
    findings: [],
    asserts: [],
    attempts: [],
    proof: [],
    expected: '-',
    durationMs: 0,
    reproduce: `badmx serve, and the same client at ${name}`,
  }
  return renderLadderText(
    buildLadder(
      events.map((event) => ({ ...event, cell: id })),
      record,
    ),
    options,
  )
}
