/**
 * Two run records compared: what a client does now that it did not do before, and the other way round.
 *
 * Cells are matched by scenario, policy and client id; the client's version does not count, because two versions are
 * what is compared. Repetitions of a cell are one subject, which stands as its worst member does.
 *
 * What always holds: a regression needs an answer on both sides, a leak only one on the new side; nothing is called
 * fixed that was not run and judged again, and a cell that the new run has no answer for is told and never fine; harness
 * controls are the instrument and no subject. Same records, same comparison.
 */
import type { Policy } from '../scenarios/policy.ts'
import type { CellRecord, RunRecord, Verdict } from '../scenarios/record.ts'
import { type GateOptions, nothingJudged, weigh } from './gate.ts'
import { distinct } from './summary.ts'
import { count } from './text.ts'

export const COMPARISON_SCHEMA = 'badmx/comparison/1'

/** How a cell changed, in the order in which changes are told. Only the first two fail the comparison. */
export const CHANGE_KINDS = [
  /** A leak that the old record does not have: the verdict, or a further flag that weighs as a leak. */
  'new-leak',
  /** A finding now, and a better answer before. */
  'regression',
  /** Answered before, and no result now. */
  'unanswered',
  /** A worse answer that the gate lets pass, or that is listed as known. */
  'tolerated',
  /** Another verdict that is neither better nor worse, or better and still a finding, or no judgement any more. */
  'changed',
  /** A better answer, and no finding any more. */
  'fixed',
  /** No result, or unsupported, before; an answer now. */
  'answered',
  /** The same verdict by another outcome or other flags. */
  'outcome',
  'added',
  'removed',
] as const
export type ChangeKind = (typeof CHANGE_KINDS)[number]

/** One side of a change: the worst of the repetitions, and what all of them showed. */
export interface Standing {
  readonly verdict: Verdict
  readonly reason: string
  /** `deferred`, or `deferred, finally lost`; of each repetition, distinct and sorted. */
  readonly outcomes: readonly string[]
  /** Of all repetitions, sorted, each once. */
  readonly flags: readonly string[]
  readonly expected: string
  /** Why the deviation is known, where it is one. */
  readonly known?: string
}

export interface Change {
  readonly kind: ChangeKind
  /** `<family>/<id>/<policy>/<client>` */
  readonly cell: string
  readonly scenario: string
  readonly policy: Policy
  readonly client: string
  readonly old?: Standing
  readonly new?: Standing
}

/** What is known of a run that was compared. */
export type Side = Pick<RunRecord, 'badmx' | 'seed' | 'timeScale' | 'startedAt' | 'interrupted' | 'clients'>

export interface Comparison {
  readonly schema: typeof COMPARISON_SCHEMA
  readonly old: Side
  readonly new: Side
  /** By kind, then as in the new record; what was removed as in the old one. */
  readonly changes: readonly Change[]
  /** Cells of both records. */
  readonly common: number
  /** Cells of both records in which nothing changed. */
  readonly unchanged: number
  /**
   * 0: no regression and no new leak; 1: some; 2: no cell is in both records; 3: the new run has no answer somewhere, or
   * one of the runs is in doubt. As at the end of a run, a finding counts for more than trouble in another cell, and for
   * less than a harness control that failed.
   */
  readonly exitCode: 0 | 1 | 2 | 3
  /** Why, one phrase each. */
  readonly reasons: readonly string[]
}

/** All repetitions of one scenario under one policy by one client. */
interface Subject {
  readonly worst: CellRecord
  readonly cells: readonly CellRecord[]
}

/** Compares. The options say what counts as a finding, on both sides. */
export function compareRecords(old: RunRecord, new_: RunRecord, options: GateOptions = {}): Comparison {
  const before = subjects(old, options)
  const after = subjects(new_, options)
  const changes: Change[] = []
  let common = 0
  for (const [key, now] of after) {
    const was = before.get(key)
    if (was !== undefined) common += 1
    const kind = kindOf(was, now, options)
    if (kind !== 'same') changes.push(change(kind, key, was, now))
  }
  for (const [key, was] of before) if (!after.has(key)) changes.push(change('removed', key, was, undefined))
  const findings = [...after].filter(([, { worst }]) => weigh(worst, options) === 'finding').map(([key]) => key)
  const sorted = CHANGE_KINDS.flatMap((kind) => changes.filter((each) => each.kind === kind))
  const differing = changes.filter((each) => each.old !== undefined && each.new !== undefined).length
  return {
    schema: COMPARISON_SCHEMA,
    old: side(old),
    new: side(new_),
    changes: sorted,
    common,
    unchanged: common - differing,
    ...conclude(old, new_, common, sorted, findings),
  }
}

/** The changes that fail a comparison. */
export function failing(comparison: Pick<Comparison, 'changes'>): readonly Change[] {
  return comparison.changes.filter(({ kind }) => kind === 'new-leak' || kind === 'regression')
}

function subjects(record: RunRecord, options: GateOptions): ReadonlyMap<string, Subject> {
  const found = new Map<string, Subject>()
  for (const cell of record.cells) {
    if (cell.role === 'harness-control') continue
    const key = `${cell.scenario}/${cell.policy}/${cell.client}`
    const subject = found.get(key)
    if (subject === undefined) found.set(key, { worst: cell, cells: [cell] })
    else found.set(key, { worst: worse(subject.worst, cell, options), cells: [...subject.cells, cell] })
  }
  return found
}

/**
 * How bad an answer is; undefined where there is none. `unsupported` says that nothing was asked, so it is no answer;
 * `not-exercised` and `info` are answers that are neither good nor bad.
 */
function badness(verdict: Verdict): 0 | 1 | 2 | 3 | undefined {
  switch (verdict) {
    case 'leak':
      return 3
    case 'fail':
      return 2
    case 'flagged':
    case 'over-strict':
      return 1
    case 'pass':
    case 'info':
    case 'not-exercised':
      return 0
    case 'unsupported':
    case 'inconclusive':
    case 'error':
    case 'missing':
      return undefined
  }
}

/**
 * A finding rests on its own proof, so it counts for more than anything else, known deviations among it; a repetition
 * without a result counts for more than one that was fine.
 */
function worse(one: CellRecord, other: CellRecord, options: GateOptions): CellRecord {
  const rank = (cell: CellRecord): number => {
    const bad = badness(cell.verdict) ?? (cell.verdict === 'unsupported' ? -1 : 1.5)
    return weigh(cell, options) === 'finding' ? bad + 10 : bad
  }
  return rank(other) > rank(one) ? other : one
}

function kindOf(was: Subject | undefined, now: Subject, options: GateOptions): ChangeKind | 'same' {
  const weight = weigh(now.worst, options)
  if (weight === 'finding' && leaksMore(was, now)) return 'new-leak'
  if (was === undefined) return 'added'
  const [before, after] = [badness(was.worst.verdict), badness(now.worst.verdict)]
  if (was.worst.verdict === now.worst.verdict) return sameShow(was, now) ? 'same' : 'outcome'
  if (before === undefined) return after === undefined ? 'changed' : 'answered'
  if (after === undefined) return weight === 'trouble' ? 'unanswered' : 'changed'
  if (after > before) return weight === 'finding' ? 'regression' : 'tolerated'
  if (after === before) {
    // A cell of the same badness may still have become a finding: flagged to over-strict where only that one counts.
    const becameOne = weight === 'finding' && weigh(was.worst, options) === 'fine'
    return becameOne ? 'regression' : 'changed'
  }
  return GOOD.includes(now.worst.verdict) && weight !== 'finding' ? 'fixed' : 'changed'
}

/** Answers that say what the client did well enough. */
const GOOD: readonly Verdict[] = ['pass', 'flagged', 'over-strict']

function leaksMore(was: Subject | undefined, now: Subject): boolean {
  if (now.worst.verdict !== 'leak') return false
  if (was?.worst.verdict !== 'leak') return true
  const known = leakFlags(was)
  return leakFlags(now).some((flag) => !known.includes(flag))
}

function leakFlags({ cells }: Subject): readonly string[] {
  return cells.flatMap(({ findings }) => findings.filter(({ weight }) => weight === 'leak').map(({ flag }) => flag))
}

function sameShow(was: Subject, now: Subject): boolean {
  const show = (subject: Subject): string => {
    const { outcomes, flags } = standing(subject)
    return JSON.stringify([outcomes, flags])
  }
  return show(was) === show(now)
}

function change(kind: ChangeKind, key: string, was: Subject | undefined, now: Subject | undefined): Change {
  const cell = (now ?? was)?.worst
  if (cell === undefined) throw new RangeError(`${key}: a change needs a side`)
  return {
    kind,
    cell: key,
    scenario: cell.scenario,
    policy: cell.policy,
    client: cell.client,
    ...(was === undefined ? {} : { old: standing(was) }),
    ...(now === undefined ? {} : { new: standing(now) }),
  }
}

function standing({ worst, cells }: Subject): Standing {
  const outcomes = cells.map(({ outcome: { first, final } }) =>
    first === final ? first : `${first}, finally ${final}`,
  )
  return {
    verdict: worst.verdict,
    reason: worst.reason,
    outcomes: distinct(outcomes).toSorted(),
    flags: distinct(cells.flatMap((cell) => cell.flags)).toSorted(),
    expected: worst.expected,
    ...(worst.known === undefined || worst.known.unexpectedPass ? {} : { known: worst.known.reason }),
  }
}

function side({ badmx, seed, timeScale, startedAt, interrupted, clients }: RunRecord): Side {
  return { badmx, seed, timeScale, startedAt, interrupted, clients }
}

/** `findings`: the cells of the new run that are findings, new or not. */
function conclude(
  old: RunRecord,
  new_: RunRecord,
  common: number,
  changes: readonly Change[],
  findings: readonly string[],
): Pick<Comparison, 'exitCode' | 'reasons'> {
  const [doubtOfOld, doubtOfNew] = [brokenControls(old), brokenControls(new_)]
  const of = (...kinds: readonly ChangeKind[]): Change[] => changes.filter(({ kind }) => kinds.includes(kind))
  const [leaks, regressions] = [of('new-leak').length, of('regression').length]
  const first = of('added', 'answered').filter(({ cell }) => findings.includes(cell)).length
  const lasting = findings.length - leaks - regressions - first
  const trouble = new_.cells.filter((cell) => cell.role !== 'harness-control' && weigh(cell) === 'trouble').length
  const reasons = [
    ...(doubtOfOld > 0 ? [`${count(doubtOfOld, 'harness control')} of the old run did not pass`] : []),
    ...(doubtOfNew > 0 ? [`${count(doubtOfNew, 'harness control')} of the new run did not pass`] : []),
    ...(common === 0 ? ['no cell is in both runs'] : []),
    leaks > 0 ? count(leaks, 'new leak') : 'no new leak',
    regressions > 0 ? count(regressions, 'regression') : 'no regression',
    ...(lasting > 0 ? [`${count(lasting, 'finding')} as before, not counted`] : []),
    ...(first > 0 ? [`${count(first, 'failure')} in cells that had no answer before, not counted`] : []),
    ...(nothingJudged(new_) ? ['the new run judged nothing'] : []),
    ...(new_.interrupted ? ['the new run was interrupted'] : []),
    ...(trouble > 0 ? [`${count(trouble, 'cell')} of the new run without a result`] : []),
  ]
  if (doubtOfOld + doubtOfNew > 0) return { exitCode: 3, reasons }
  if (leaks + regressions > 0) return { exitCode: 1, reasons }
  if (trouble > 0 || new_.interrupted || nothingJudged(new_)) return { exitCode: 3, reasons }
  return { exitCode: common === 0 ? 2 : 0, reasons }
}

function brokenControls(record: RunRecord): number {
  return record.cells.filter((cell) => cell.role === 'harness-control' && weigh(cell) === 'trouble').length
}
