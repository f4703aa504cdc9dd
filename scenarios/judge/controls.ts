/**
 * What the controls say of all other cells. Pure.
 *
 * A harness control that fails makes the whole batch `error`: nothing that this harness saw can be believed. A client
 * control that fails takes away the client's passes under that policy, for they may come from a client that does nothing
 * right; its failures stand. Catalogue §3.5, 9.
 */
import type { CellRecord, Verdict } from '../record.ts'

/** A control that works may be worth a flag; anything else is a failure, but see {@link speaks}. */
const WORKS: readonly Verdict[] = ['pass', 'flagged']
/** No answer yet: the controls neither failed nor worked. */
const UNANSWERED: readonly Verdict[] = ['missing']
/** What a control that failed takes away: everything that a client gets for doing nothing wrong. */
const UNDONE: readonly Verdict[] = ['pass', 'flagged', 'over-strict', 'not-exercised']

/** The cells with what failed controls make of them. */
export function applyControls(cells: readonly CellRecord[]): CellRecord[] {
  const harness = cells.filter(({ role, verdict }) => role === 'harness-control' && !WORKS.includes(verdict))
  const failed = harness.find(({ verdict }) => !UNANSWERED.includes(verdict))
  if (failed !== undefined) return cells.map((cell) => brokenHarness(cell, failed))
  const [unanswered] = harness
  const broken = brokenControls(cells)
  const controlled = cells.map((cell) => {
    const control = broken.get(configuration(cell))
    if (control === undefined) return cell
    return doubted(
      cell,
      `the control ${control.scenario} under ${control.policy} is ${control.verdict} (${control.reason})`,
    )
  })
  return unanswered === undefined
    ? controlled
    : controlled.map((cell) => doubted(cell, `the harness control ${unanswered.id} did not finish`))
}

function brokenHarness(cell: CellRecord, failed: CellRecord): CellRecord {
  if (cell.verdict === 'unsupported' || cell.verdict === 'missing') return cell
  if (cell.role === 'harness-control' && WORKS.includes(cell.verdict)) return cell
  const reason =
    cell.role === 'harness-control'
      ? `the harness control failed (${cell.verdict}): ${cell.reason}`
      : `the harness control ${failed.id} failed, so nothing here can be believed; it was ${cell.verdict}: ${cell.reason}`
  return { ...cell, verdict: 'error', reason }
}

/** What a client control speaks for: the same client under the same policy. */
function configuration({ client, policy }: CellRecord): string {
  return `${client} ${policy}`
}

/** The first control that failed, for each configuration that has one. */
function brokenControls(cells: readonly CellRecord[]): ReadonlyMap<string, CellRecord> {
  const broken = new Map<string, CellRecord>()
  for (const cell of cells) {
    if (cell.role !== 'client-control' || cell.verdict === 'unsupported' || speaks(cell)) continue
    if (!broken.has(configuration(cell))) broken.set(configuration(cell), cell)
  }
  return broken
}

/**
 * Whether a client control shows what it is there for: that mail gets through where it may, and that the policy is in force
 * where it may not. A client that gives the message up where it was to keep it has failed, and has kept the policy too: that is
 * a finding of its own, and no reason to doubt what else it did under that policy.
 */
export function speaks({ verdict, expected, outcome, findings, asserts }: CellRecord): boolean {
  if (WORKS.includes(verdict)) return true
  const otherwiseWrong = findings.some(({ weight }) => weight === 'fail') || asserts.some(({ held }) => held === false)
  return verdict === 'fail' && expected === 'D' && outcome.final === 'bounced' && !otherwiseWrong
}

function doubted(cell: CellRecord, why: string): CellRecord {
  if (cell.role !== 'scenario' || !UNDONE.includes(cell.verdict)) return cell
  return {
    ...cell,
    verdict: 'inconclusive',
    reason: `does not count, for ${why}; it would be ${cell.verdict}: ${cell.reason}`,
  }
}
