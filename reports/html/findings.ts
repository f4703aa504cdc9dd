/** What was found, each thing once: the groups of the short reports, with links to their cells. */
import type { RunRecord } from '../../scenarios/record.ts'
import type { GateOptions } from '../gate.ts'
import { text } from '../markup.ts'
import { type CellGroup, clientName, findingGroups, noticeGroups, troubleGroups, unexplainedEnds } from '../summary.ts'
import { clip, count } from '../text.ts'
import { link, verdictChip } from './pieces.ts'
import { cellPlace, scenarioPlace } from './places.ts'

/** Characters of a reason that are told; the cell has the whole. */
const REASON = 400

/** Scenarios of one group that are named. */
const MOST = 8

/** `client` leaves out what others did. */
export function renderFindings(record: RunRecord, gate: GateOptions, client?: string): string {
  const titles = [
    ['What fails the run', findingGroups(record, gate)],
    ['Without a result', troubleGroups(record)],
    ['Worth knowing', noticeGroups(record, gate)],
  ] as const
  return titles
    .map(([title, all]) => {
      const groups = client === undefined ? all : all.filter((group) => group.client === client)
      if (groups.length === 0) return ''
      const items = groups.map((group) => item(record, group, client === undefined))
      // In the view of a client it stands below the client's name.
      const level = client === undefined ? 'h2' : 'h3'
      return `<section class="findings"><${level}>${title} <small>${groups.length}</small></${level}><ul>${items.join('')}</ul></section>`
    })
    .join('')
}

function item(record: RunRecord, group: CellGroup, named: boolean): string {
  const shown = group.scenarios.slice(0, MOST).map((scenario) => link(scenarioPlace(scenario), text(scenario)))
  const more = group.scenarios.length > MOST ? ` and ${count(group.scenarios.length - MOST, 'more scenario')}` : ''
  const who = named ? `${text(clientName(record, group.client))}: ` : ''
  const cells = group.cells.slice(0, 12).map((cell) => {
    const [repetition = ''] = /#\d+$/.exec(cell.id) ?? []
    return link(cellPlace(cell), text(`${cell.policy}${repetition}`))
  })
  const rest = group.cells.length > 12 ? ` and ${count(group.cells.length - 12, 'more', 'more')}` : ''
  return `<li>${verdictChip(group.verdict)}<div><p class="what">${shown.join(', ')}${more} <span class="under">${who}${cells.join(', ')}${rest}</span></p><p>${text(clip(group.reason, REASON))}</p></div></li>`
}

/** Connections that are told; the event log has them all. */
const MOST_UNEXPECTED = 30

/** A crash that no verdict tells of. */
export function renderUnexplained(record: RunRecord): string {
  const ends = unexplainedEnds(record)
  if (ends.length === 0) return ''
  const items = ends.map((end) => `<li>${verdictChip('info')}<div><p>${text(clip(end, REASON))}</p></div></li>`)
  return `<section class="findings"><h2>Crashes that no cell has shown alone <small>${ends.length}</small></h2><ul>${items.join('')}</ul></section>`
}

/** Connections that nobody asked for: no verdict rests on them, and a reader must know of them. */
export function renderUnexpected({ unexpected = [] }: RunRecord): string {
  if (unexpected.length === 0) return ''
  const items = unexpected.slice(0, MOST_UNEXPECTED).map(({ cell, detail }) => {
    const where = cell === undefined ? '' : `<p class="what">${link(cellPlace({ id: cell }), text(cell))}</p>`
    return `<li>${verdictChip('info')}<div>${where}<p>${text(clip(detail, REASON))}</p></div></li>`
  })
  const left = unexpected.length - items.length
  const more = left > 0 ? `<p class="dim">and ${count(left, 'more', 'more')}</p>` : ''
  return `<section class="findings"><h2>Unexpected connections <small>${unexpected.length}</small></h2><ul>${items.join('')}</ul>${more}</section>`
}
