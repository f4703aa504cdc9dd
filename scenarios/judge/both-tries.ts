/**
 * One record of the two tries of a cell. Pure.
 *
 * What always holds: the second decides, for it had the client to itself; but what the first has shown stands where it is
 * worse: a leak, or an attempt that was over and ended in a crash, a loss or a hang.
 */
import type { CellRecord, Verdict } from '../record.ts'

const WORST_FIRST: readonly Verdict[] = ['leak', 'fail']

/**
 * @param first of a try that was spoilt: a leak, a failure, or for all else an error
 * @param spoilt why it was
 */
export function ofBothTries(first: CellRecord, spoilt: string, second: CellRecord): CellRecord {
  const stands = WORST_FIRST.find((verdict) => verdict === first.verdict || verdict === second.verdict)
  if (stands === undefined || stands === second.verdict) return { ...second, again: { spoilt, counts: 'second' } }
  const reason = `${first.reason}; so it was before that try was spoilt (${spoilt}); alone it was ${second.verdict}`
  return { ...first, reason, again: { spoilt, counts: 'first' } }
}
