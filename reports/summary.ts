/**
 * What the short reports (terminal, Markdown) have in common: the cells of a record grouped so that a person reads each
 * thing once. Order is deterministic: clients as in the record, then what matters most, then the record's order.
 */
import { POLICIES, type Policy } from '../scenarios/policy.ts'
import type { CellRecord, RunRecord, Verdict } from '../scenarios/record.ts'
import { type GateOptions, weigh } from './gate.ts'
import { VERDICT_ORDER } from './verdicts.ts'

/** Cells of one client that say the same: same scenario (for findings), verdict and reason; policies differ. */
export interface CellGroup {
  readonly client: string
  readonly verdict: Verdict
  readonly reason: string
  /** Distinct, in the record's order. */
  readonly scenarios: readonly string[]
  /** Distinct, weakest first. */
  readonly policies: readonly Policy[]
  /** At least one. */
  readonly cells: readonly CellRecord[]
}

/** Every client of the record: those it lists, then those that only cells name (the reference client). */
export function clientIds(record: RunRecord): readonly string[] {
  return distinct([...record.clients.map((client) => client.id), ...record.cells.map((cell) => cell.client)])
}

/** `nodemailer 10.6.0`, `Postfix 3.7.11 (bookworm)`; the id where the record does not list the client. */
export function clientName(record: RunRecord, id: string): string {
  const client = record.clients.find((candidate) => candidate.id === id)
  if (client === undefined) return id
  return `${client.name} ${client.version}${client.release === undefined ? '' : ` (${client.release})`}`
}

/** How many cells were tried twice, the second time alone. */
export function again(record: RunRecord): number {
  return record.cells.filter((cell) => cell.again !== undefined).length
}

/**
 * Ends of a client with several cells in its hands, none of which has crashed when it was run again alone: it was over before
 * it showed, and the doing of a cell that had its verdict already, or of several together. One sentence each.
 */
export function unexplainedEnds(record: RunRecord): readonly string[] {
  const ends = new Map<string, CellRecord[]>()
  for (const cell of record.cells) {
    const end = /^.* with (?:another cell|\d+ cells) in hand/.exec(cell.again?.spoilt ?? '')?.[0]
    if (end === undefined) continue
    const key = `${clientName(record, cell.client)}: ${end}`
    ends.set(key, [...(ends.get(key) ?? []), cell])
  }
  return [...ends]
    .filter(([, cells]) => !cells.some(({ outcome }) => outcome.first === 'crashed' || outcome.final === 'crashed'))
    .map(([end, cells]) => `${end}, and none of the ${cells.length} that were run again alone has crashed`)
}

/** What fails the run, worst verdict first, then highest severity. */
export function findingGroups(record: RunRecord, options: GateOptions): readonly CellGroup[] {
  const cells = record.cells.filter((cell) => weigh(cell, options) === 'finding')
  return grouped(record, cells, (cell) => cell.scenario)
}

/** What is worth knowing and does not fail the run: flagged and over-strict cells that the gate lets pass. */
export function noticeGroups(record: RunRecord, options: GateOptions): readonly CellGroup[] {
  const cells = record.cells.filter(
    (cell) => (cell.verdict === 'flagged' || cell.verdict === 'over-strict') && weigh(cell, options) === 'fine',
  )
  return grouped(record, cells, (cell) => cell.scenario)
}

/** What the harness could not answer; scenarios with the same reason are one group. */
export function troubleGroups(record: RunRecord): readonly CellGroup[] {
  return grouped(
    record,
    record.cells.filter((cell) => weigh(cell) === 'trouble'),
    () => '',
  )
}

const SEVERITIES: readonly CellRecord['severity'][] = ['critical', 'high', 'medium', 'low']

function grouped(
  record: RunRecord,
  cells: readonly CellRecord[],
  keyOf: (cell: CellRecord) => string,
): readonly CellGroup[] {
  const groups = new Map<string, CellRecord[]>()
  for (const cell of cells) {
    const key = JSON.stringify([cell.client, cell.verdict, cell.reason, cell.role === 'harness-control', keyOf(cell)])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [cell])
    else group.push(cell)
  }
  const clients = clientIds(record)
  const rank = (group: CellGroup): number[] => [
    clients.indexOf(group.client),
    VERDICT_ORDER.indexOf(group.verdict),
    Math.min(...group.cells.map((cell) => SEVERITIES.indexOf(cell.severity))),
  ]
  return [...groups.values()].flatMap(asGroup).sort((a, b) => compare(rank(a), rank(b)))
}

function asGroup(cells: readonly CellRecord[]): CellGroup[] {
  const [first] = cells
  if (first === undefined) return []
  return [
    {
      client: first.client,
      verdict: first.verdict,
      reason: first.reason,
      scenarios: distinct(cells.map((cell) => cell.scenario)),
      policies: policiesOf(cells),
      cells,
    },
  ]
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((number, index) => number !== b[index])
  return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
}

/** Each item once, at its first place. */
export function distinct<T>(items: readonly T[]): readonly T[] {
  return [...new Set(items)]
}

/** The policies of the cells, each once, in the order in which they are always told. */
export function policiesOf(cells: readonly CellRecord[]): readonly Policy[] {
  return POLICIES.filter((policy) => cells.some((cell) => cell.policy === policy))
}

/** `deferred`, or `deferred, finally delivered-cleartext`. */
export function observed(cell: CellRecord): string {
  const { first, final } = cell.outcome
  return first === final ? first : `${first}, finally ${final}`
}

/** `strip` of `strip/strip-ehlo-omit`. */
export function familyOf(cell: CellRecord): string {
  return cell.scenario.split('/', 1)[0] ?? ''
}
