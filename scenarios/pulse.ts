/** Whether this process gets to do its work in time, told to the event log. */
import type { RunRequest } from './run-request.ts'

const PULSE_MS = 250
/** Milliseconds of lateness that are worth a word in the log. */
const LATE_MS = 1_000

/** Notices when this process does not get to do its work in time. Returns the way to end that. */
export function pulse({ log, now }: Pick<RunRequest, 'log' | 'now'>): () => void {
  let due = now() + PULSE_MS
  const timer = setInterval(() => {
    const ms = now() - due
    if (ms > LATE_MS) log({ type: 'late', t: now(), ms })
    due = now() + PULSE_MS
  }, PULSE_MS)
  return () => clearInterval(timer)
}
