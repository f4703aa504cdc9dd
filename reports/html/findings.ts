/** What was found, each thing once: the groups of the short reports, with links to their cells. */
import type { RunRecord } from '../../scenarios/record.ts'
import type { GateOptions } from '../gate.ts'
import { text } from '../markup.ts'
import { type CellGroup, clientName, findingGroups, noticeGroups, troubleGroups } from '../summary.ts'
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
