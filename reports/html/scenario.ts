/** The view of one scenario: what every client did in it, under every policy, and what was expected. */
import type { CellRecord, RunRecord } from '../../scenarios/record.ts'
import { attribute, text } from '../markup.ts'
import { clientName, distinct, observed, policiesOf } from '../summary.ts'
import { clip } from '../text.ts'
import { link, verdictChip } from './pieces.ts'
import { cellPlace, clientPlace, scenarioPlace } from './places.ts'

/** Characters of a reason that are told. */
const REASON = 400

/** `cells` are all of the scenario's, in the order of the record, at least one. */
export function renderScenario(scenario: string, cells: readonly CellRecord[], record: RunRecord): string {
  const [any] = cells
  const [family = '', ...rest] = scenario.split('/')
  const clients = distinct(cells.map((cell) => cell.client))
  const rows = policiesOf(cells).flatMap((policy) =>
    clients.flatMap((client) =>
      cells
        .filter((cell) => cell.policy === policy && cell.client === client)
        .map((cell, index) => row(cell, record, index)),
    ),
  )
  const sources = distinct(cells.flatMap(({ clause }) => (clause === undefined ? [] : [clause])))
  const heads = ['policy', 'client', 'verdict', 'expected', 'observed', 'why']
  return [
    `<article class="view scenario"${attribute('id', scenarioPlace(scenario))}>`,
    `<header><p class="crumbs">${text(family)} <span aria-hidden="true">/</span> ${text(rest.join('/'))}</p><h2 tabindex="-1">${text(any?.title ?? scenario)}</h2>`,
    `<p class="dim">${any?.severity ?? ''}${sources.length === 0 ? '' : `; ${text(sources.join('; '))}`}</p></header>`,
    `<div class="wide"><table class="list"><thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`,
    `<p class="dim">The scenario itself: <code>npx badmx show ${text(rest.join('/'))}</code></p>`,
    '</article>',
  ].join('')
}

function row(cell: CellRecord, record: RunRecord, repetition: number): string {
  const number = repetition === 0 ? '' : ` #${repetition + 1}`
  return `<tr><th scope="row">${cell.policy}${number}</th><td>${link(clientPlace(cell.client), text(clientName(record, cell.client)))}</td><td>${link(cellPlace(cell), verdictChip(cell.verdict))}</td><td><code>${text(cell.expected)}</code></td><td>${text(observed(cell))}</td><td class="why">${text(clip(cell.reason, REASON))}</td></tr>`
}
