/** The view of one client: its sentences, its verdicts by family and policy, and all that was found of it. */
import type { RunRecord } from '../../scenarios/record.ts'
import type { GateOptions } from '../gate.ts'
import { headlines } from '../headline.ts'
import { attribute, text } from '../markup.ts'
import { clientName, distinct, familyOf, policiesOf } from '../summary.ts'
import { renderFindings } from './findings.ts'
import { counts, headlineMarkup, section, shareBar } from './pieces.ts'
import { clientPlace, queryPlace } from './places.ts'

export function renderClient(client: string, record: RunRecord, gate: GateOptions): string {
  const cells = record.cells.filter((cell) => cell.client === client)
  const policies = policiesOf(cells)
  const rows = distinct(cells.map(familyOf)).map((family) => {
    const columns = policies.map((policy) => {
      const here = cells.filter((cell) => familyOf(cell) === family && cell.policy === policy)
      return here.length === 0 ? '<td class="none"></td>' : `<td class="sum">${counts(here)}${shareBar(here)}</td>`
    })
    return `<tr><th scope="row">${text(family)}</th>${columns.join('')}</tr>`
  })
  const said = headlines(record, gate)
    .filter((headline) => headline.client === client)
    .map((headline) => `<p class="reason">${headlineMarkup(headline)}</p>`)
  const heads = policies.map((policy) => `<th scope="col">${policy}</th>`).join('')
  return [
    `<article class="view client"${attribute('id', clientPlace(client))}>`,
    `<header><p class="crumbs">client</p><h2 tabindex="-1">${text(clientName(record, client))}</h2>${said.join('')}</header>`,
    `<div class="wide"><table class="matrix"><caption>Cells by family and policy</caption><thead><tr><th scope="col">Family</th>${heads}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`,
    `<p><a${attribute('href', queryPlace('client', client))}>Only this client in the matrix</a></p>`,
    configuration(client, record),
    renderFindings(record, gate, client),
    '</article>',
  ].join('')
}

/** The settings that it ran with, where it keeps them in files. */
function configuration(client: string, record: RunRecord): string {
  const settings = record.clients.find(({ id }) => id === client)?.configuration
  if (settings === undefined) return ''
  const lines = settings.replace(/\n$/, '').split('\n').map(text)
  return section('Configuration', 'settings', `<pre class="log" tabindex="0">${lines.join('\n')}</pre>`)
}
