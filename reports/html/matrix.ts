/**
 * The matrix: families and their scenarios down, clients and policies across. A family is a row of its own with the counts
 * of its cells, and its scenarios can be folded away under it.
 *
 * What always holds: a real table with scopes and a caption; each cell is a link with glyph and word; where a cell was
 * repeated, the worst repetition stands for all, and their number beside it. Harness controls are no subject, and no row.
 */
import { FAMILY_TEXT, isFamily } from '../../scenarios/families.ts'
import type { Policy } from '../../scenarios/policy.ts'
import type { CellRecord, RunRecord } from '../../scenarios/record.ts'
import { weigh } from '../gate.ts'
import { attribute, text } from '../markup.ts'
import { clientIds, clientName, distinct, familyOf, policiesOf } from '../summary.ts'
import { count } from '../text.ts'
import { VERDICT_LOOKS, VERDICT_ORDER } from '../verdicts.ts'
import { counts, glyph, link, shareBar } from './pieces.ts'
import { cellPlace, clientPlace, scenarioPlace } from './places.ts'

interface Column {
  readonly client: string
  readonly policy: Policy
}

/** More columns than this are set narrow. */
const MANY = 8

/** A matrix of fewer scenarios is not folded; without JavaScript none is. */
const SHORT = 16

export function renderMatrix(record: RunRecord): string {
  const cells = record.cells.filter((cell) => cell.role !== 'harness-control')
  if (cells.length === 0) return ''
  const clients = clientIds(record).filter((client) => cells.some((cell) => cell.client === client))
  const columns = clients.flatMap((client) =>
    policiesOf(cells.filter((cell) => cell.client === client)).map((policy) => ({ client, policy })),
  )
  const scenarios = distinct(cells.map((cell) => cell.scenario))
  const folded = scenarios.length >= SHORT
  const byPlace = new Map<string, CellRecord[]>()
  for (const cell of cells) {
    const key = JSON.stringify([cell.scenario, cell.client, cell.policy])
    byPlace.set(key, [...(byPlace.get(key) ?? []), cell])
  }
  const families = distinct(cells.map(familyOf)).map((family) => {
    const rows = scenarios.filter((scenario) => scenario.split('/', 1)[0] === family)
    return familyBody(family, rows, cells, columns, byPlace, folded)
  })
  return [
    `<table class="matrix${columns.length > MANY ? ' many' : ''}"${folded ? ' data-folded' : ''}>`,
    `<caption class="hear">${count(scenarios.length, 'scenario')} in families, by client and policy. A family counts its cells by verdict.</caption>`,
    '<thead>',
    `<tr><th scope="col" rowspan="2">Scenario</th>${clients.map((client) => clientHead(record, client, columns)).join('')}</tr>`,
    `<tr>${columns.map(policyHead).join('')}</tr>`,
    '</thead>',
    ...families,
    '</table>',
  ].join('\n')
}

function clientHead(record: RunRecord, client: string, columns: readonly Column[]): string {
  const span = columns.filter((column) => column.client === client).length
  return `<th scope="colgroup" colspan="${span}" data-client${attribute('data-name', client)}>${link(clientPlace(client), text(clientName(record, client)))}</th>`
}

function policyHead({ client, policy }: Column, index: number, columns: readonly Column[]): string {
  const first = columns[index - 1]?.client === client ? '' : ' class="first"'
  return `<th scope="col"${first}${attribute('data-client', client)} data-policy="${policy}">${policy}</th>`
}

function familyBody(
  family: string,
  scenarios: readonly string[],
  cells: readonly CellRecord[],
  columns: readonly Column[],
  byPlace: ReadonlyMap<string, readonly CellRecord[]>,
  folded: boolean,
): string {
  const own = cells.filter((cell) => familyOf(cell) === family)
  const title = isFamily(family) ? FAMILY_TEXT[family].title : ''
  const head = columns.map(({ client, policy }, index) => {
    const here = own.filter((cell) => cell.client === client && cell.policy === policy)
    const first = columns[index - 1]?.client === client ? '' : ' first'
    return here.length === 0
      ? `<td class="none${first}"></td>`
      : `<td class="sum${first}">${counts(here)}${shareBar(here)}</td>`
  })
  const rows = scenarios.map((scenario) => scenarioRow(scenario, own, columns, byPlace))
  return [
    `<tbody${attribute('data-family', family)}${folded ? ' class="folded"' : ''}>`,
    `<tr class="family"><th scope="rowgroup"${attribute('title', title)}><span class="fold">${text(family)}</span> <small>${scenarios.length}</small></th>${head.join('')}</tr>`,
    ...rows,
    '</tbody>',
  ].join('\n')
}

function scenarioRow(
  scenario: string,
  family: readonly CellRecord[],
  columns: readonly Column[],
  byPlace: ReadonlyMap<string, readonly CellRecord[]>,
): string {
  const [any] = family.filter((cell) => cell.scenario === scenario)
  const name = scenario.split('/').slice(1).join('/')
  const head = `<th scope="row">${link(scenarioPlace(scenario), text(name), any?.title ?? '')}</th>`
  const row = columns.map(({ client, policy }, index) => {
    const first = columns[index - 1]?.client === client ? '' : ' first'
    return matrixCell(byPlace.get(JSON.stringify([scenario, client, policy])) ?? [], first)
  })
  return `<tr${attribute('data-scenario', scenario)} data-severity="${any?.severity ?? ''}"${attribute('data-title', any?.title ?? '')}>${head}${row.join('')}</tr>`
}

/** All repetitions of one cell. */
function matrixCell(cells: readonly CellRecord[], first: string): string {
  const verdict = VERDICT_ORDER.find((each) => cells.some((cell) => cell.verdict === each))
  const cell = cells.find((each) => each.verdict === verdict)
  if (verdict === undefined || cell === undefined) return `<td class="none${first}"></td>`
  const flags = distinct(cells.flatMap((each) => each.flags))
  const data = [
    ...(flags.length === 0 ? [] : [attribute('data-flags', flags.join(' '))]),
    ...(cell.known === undefined ? [] : [' data-known']),
    ...(cell.role === 'scenario' ? [] : [' data-control']),
  ].join('')
  const title = weigh(cell) === 'fine' && verdict === 'pass' ? undefined : cell.reason
  const times = cells.length > 1 ? ` <small>×${cells.length}</small>` : ''
  return `<td class="c ${verdict}${first}"${data}>${link(cellPlace(cell), `${glyph(verdict)} ${verdict}${times}`, title)}</td>`
}

/** The verdicts of the run with their numbers, each a filter. */
export function renderCounts(record: RunRecord): string {
  const chips = VERDICT_ORDER.flatMap((verdict) => {
    const number = record.cells.filter((cell) => cell.role !== 'harness-control' && cell.verdict === verdict).length
    if (number === 0) return []
    return [
      `<li><a class="v ${verdict}" data-term="verdict:${verdict}" href="#?q=verdict:${verdict}"><i aria-hidden="true">${VERDICT_LOOKS[verdict].glyph}</i> <b>${number}</b> ${verdict}</a></li>`,
    ]
  })
  return `<ul class="counts" aria-label="Verdicts, as filters">${chips.join('')}</ul>`
}
