/**
 * Whether a run is fine: what each cell weighs, and the exit code that follows.
 *
 * What always holds: an empty or interrupted run is never fine, nor one in which every cell is unsupported; a cell without a result never is; nothing that a known
 * deviation excuses is hidden, it is only not counted.
 */
import type { CellRecord, RunRecord, Verdict } from '../scenarios/record.ts'
import { count, listed } from './text.ts'
import { tally } from './verdicts.ts'

export interface GateOptions {
  /** `flagged`: what is permitted but worth knowing fails the run too. */
  readonly failOn?: 'flagged' | undefined
  /** A client that refuses what it may deliver fails the run too. */
  readonly strict?: boolean | undefined
}

/**
 * `finding` fails the run (exit code 1); `known` would, had it not been listed as known; `trouble` is the harness's
 * (exit code 3); `neutral` says nothing about the client either way; `fine` is the rest.
 */
export type Weight = 'finding' | 'known' | 'trouble' | 'neutral' | 'fine'

const WEIGHTS: Readonly<Record<Verdict, Weight>> = {
  pass: 'fine',
  flagged: 'fine',
  'over-strict': 'fine',
  leak: 'finding',
  fail: 'finding',
  info: 'neutral',
  unsupported: 'neutral',
  'not-exercised': 'neutral',
  inconclusive: 'trouble',
  error: 'trouble',
  missing: 'trouble',
}

/**
 * What a cell weighs. A harness control is the instrument's own check: it passes (flags do not matter) or it is trouble,
 * and never a finding about a client. A known deviation excuses a finding, never trouble.
 */
export function weigh(cell: CellRecord, options: GateOptions = {}): Weight {
  if (cell.role === 'harness-control') return cell.verdict === 'pass' || cell.verdict === 'flagged' ? 'fine' : 'trouble'
  const promoted =
    (cell.verdict === 'flagged' && options.failOn === 'flagged') || (cell.verdict === 'over-strict' && options.strict)
  const weight = promoted ? 'finding' : WEIGHTS[cell.verdict]
  return weight === 'finding' && isKnown(cell) ? 'known' : weight
}

/** True when the cell deviates, and was expected to. */
export function isKnown(cell: CellRecord): boolean {
  return cell.known !== undefined && !cell.known.unexpectedPass
}

/**
 * The exit code of a run and why, one sentence per reason.
 *
 * Findings win over trouble: a finding rests on its own proof of what crossed the wire, and trouble in another cell
 * cannot take it back; 3 reads as "run it again", and would hide it. The exception is trouble in a harness control: then
 * the instrument itself is in doubt, and with it every finding, so the answer is 3.
 */
export function gate(record: RunRecord, options: GateOptions = {}): { exitCode: 0 | 1 | 3; reasons: string[] } {
  const by = (weight: Weight): CellRecord[] => record.cells.filter((cell) => weigh(cell, options) === weight)
  const findings = by('finding')
  const known = by('known')
  const trouble = by('trouble')
  const instrument = trouble.filter((cell) => cell.role === 'harness-control')
  const unexpected = record.cells.filter((cell) => cell.known?.unexpectedPass)
  const reasons: string[] = []
  if (instrument.length > 0)
    reasons.push(`${count(instrument.length, 'harness control')} did not pass: no verdict counts`)
  if (findings.length > 0) reasons.push(`${count(findings.length, 'finding')}: ${spelled(findings)}`)
  if (record.interrupted) reasons.push('the run was interrupted')
  const empty = nothingJudged(record)
  if (record.cells.length === 0) reasons.push('nothing was run')
  else if (empty) reasons.push('nothing was judged: every cell is unsupported')
  const other = trouble.length - instrument.length
  if (other > 0) {
    const cells = trouble.filter((cell) => cell.role !== 'harness-control')
    reasons.push(`${count(other, 'cell')} without a result: ${spelled(cells)}`)
  }
  if (known.length > 0) reasons.push(`${count(known.length, 'known deviation')} not counted`)
  if (unexpected.length > 0)
    reasons.push(`${count(unexpected.length, 'known deviation')} did not come: update the list`)
  if (instrument.length > 0) return { exitCode: 3, reasons }
  if (findings.length > 0) return { exitCode: 1, reasons }
  const troubled = trouble.length > 0 || record.interrupted || empty
  return { exitCode: troubled ? 3 : 0, reasons }
}

/** A command that is not there, or a policy that the client has not: a run that judged nothing must not look like one that passed. */
export function nothingJudged(record: RunRecord): boolean {
  return record.cells.every((cell) => cell.role === 'harness-control' || cell.verdict === 'unsupported')
}

function spelled(cells: readonly CellRecord[]): string {
  return listed(tally(cells).map(([verdict, number]) => `${number} ${verdict}`))
}
