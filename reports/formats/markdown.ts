/**
 * Markdown (GitHub flavour) for the summary of a CI job: the sentences, the counts, what was found, and the matrix.
 *
 * What always holds: less than 1,000,000 octets of UTF-8, because GitHub drops a step summary over 1 MiB; what did not
 * fit is said. No text of the record can become markup, a link or a mention.
 */
import type { RunRecord } from '../../scenarios/record.ts'
import type { ReportFormat } from '../format.ts'
import { type GateOptions, gate, weigh } from '../gate.ts'
import { headlines, sentence } from '../headline.ts'
import { code, escaped, fitted, html } from '../markdown-text.ts'
import * as summary from '../summary.ts'
import { clip, count } from '../text.ts'
import { labelled, tally, VERDICT_ORDER } from '../verdicts.ts'

const LIMIT = 1_000_000

/** A matrix of more rows is folded. */
const LONG = 20

/** Characters of one reason. */
const REASON = 600

export const format: ReportFormat = {
  id: 'markdown',
  file: 'summary.md',
  title: 'Markdown, for the summary of a CI job',
  render(record, options = {}) {
    const sections = [
      ['# badmx'],
      ...headlines(record, options).map((headline) => [paragraph(headline)]),
      result(record, options),
      counts(record),
      ...groupSection('Findings', record, summary.findingGroups(record, options)),
      ...groupSection('Without a result', record, summary.troubleGroups(record)),
      ...groupSection('Worth knowing', record, summary.noticeGroups(record, options)),
      ...unexpectedSection(record),
      ...unexplainedSection(record),
      ...knownSection(record),
      ...summary.clientIds(record).flatMap((client) => matrix(record, client)),
      [footer(record)],
    ]
    return fitted(sections, LIMIT)
  },
}

/** Connections that nobody asked for. */
function unexpectedSection({ unexpected = [] }: RunRecord): string[][] {
  if (unexpected.length === 0) return []
  const items = unexpected.map(
    ({ cell, detail }) => `- ${cell === undefined ? '' : `${code(cell)}: `}${escaped(detail)}`,
  )
  return [['## Unexpected connections'], ...chunks(items, 50)]
}

/** A crash that no verdict tells of. */
function unexplainedSection(record: RunRecord): string[][] {
  const items = summary.unexplainedEnds(record).map((end) => `- ${escaped(end)}`)
  return items.length === 0 ? [] : [['## Crashes that no cell has shown alone'], ...chunks(items, 50)]
}

function paragraph(headline: Parameters<typeof sentence>[0]): string {
  const parts = headline.parts.map((part) => ({ ...part, text: escaped(part.text) }))
  return sentence({ ...headline, parts }, (text) => `**${text}**`)
}

function result(record: RunRecord, options: GateOptions): string[] {
  const { exitCode, reasons } = gate(record, options)
  const words = { 0: 'fine', 1: 'findings', 3: 'harness trouble' }
  return [
    `Result: **${words[exitCode]}** (exit code ${exitCode})${reasons.map((reason) => `; ${escaped(reason)}`).join('')}.`,
  ]
}

function counts(record: RunRecord): string[] {
  const rows = tally(record.cells).map(([verdict, number]) => `| ${labelled(verdict)} | ${number} |`)
  const again = summary.again(record)
  const said = again === 0 ? [] : ['', `${count(again, 'cell')} run again, each alone.`]
  return ['| verdict | cells |', '| --- | ---: |', ...rows, ...said]
}

/** One section per title, one list item per group; empty where there is no group. */
function groupSection(title: string, record: RunRecord, groups: readonly summary.CellGroup[]): string[][] {
  if (groups.length === 0) return []
  const items = groups.map((group) => item(record, group))
  return [[`## ${title}`], ...chunks(items, 50)]
}

function item(record: RunRecord, group: summary.CellGroup): string {
  const [first] = group.cells
  const shown = group.scenarios.slice(0, 5).map((scenario) => `**${escaped(scenario)}**`)
  const more = group.scenarios.length > 5 ? ` and ${count(group.scenarios.length - 5, 'more scenario')}` : ''
  const where = `${escaped(summary.clientName(record, group.client))}, ${group.policies.join(', ')}`
  const lines = [
    `- ${labelled(group.verdict)} ${shown.join(', ')}${more} (${where}): ${escaped(clip(group.reason, REASON))}`,
  ]
  if (first !== undefined && weigh(first) !== 'trouble') {
    lines.push(
      `  <br>expected ${code(first.expected)}, observed ${code(summary.observed(first))}; reproduce: ${code(first.reproduce)}`,
    )
  }
  return lines.join('\n')
}

function knownSection(record: RunRecord): string[][] {
  const lines = record.cells.flatMap((cell) => {
    if (cell.known === undefined) return []
    const what = cell.known.unexpectedPass ? '**did not come**' : labelled(cell.verdict)
    return [`- ${what} ${escaped(cell.id)}: ${escaped(clip(cell.known.reason, REASON))}`]
  })
  return lines.length === 0 ? [] : [['## Known deviations', '', ...lines]]
}

/** Scenarios as rows, policies as columns, one table per client. */
function matrix(record: RunRecord, client: string): string[][] {
  const cells = record.cells.filter((cell) => cell.client === client)
  if (cells.length === 0) return []
  const policies = summary.policiesOf(cells)
  const rows = summary.distinct(cells.map((cell) => cell.scenario)).map((scenario) => {
    const row = policies.map((policy) => {
      const here = cells.filter((cell) => cell.scenario === scenario && cell.policy === policy)
      const worst = VERDICT_ORDER.find((verdict) => here.some((cell) => cell.verdict === verdict))
      return worst === undefined ? '' : labelled(worst)
    })
    return `| ${escaped(scenario)} | ${row.join(' | ')} |`
  })
  const name = summary.clientName(record, client)
  const table = [`| scenario | ${policies.join(' | ')} |`, `| --- |${' --- |'.repeat(policies.length)}`, ...rows]
  if (rows.length <= LONG) return [[`## ${escaped(name)}`, '', ...table]]
  return [
    [`<details><summary>${html(name)}: ${count(rows.length, 'scenario')}</summary>`, '', ...table, '', '</details>'],
  ]
}

function footer(record: RunRecord): string {
  const facts = [
    `badmx ${record.badmx}`,
    `seed ${record.seed}`,
    `time scale ${record.timeScale}`,
    `started ${record.startedAt}`,
  ]
  return `${facts.map(escaped).join(', ')}.`
}

function chunks(items: readonly string[], size: number): string[][] {
  const count = Math.ceil(items.length / size)
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size))
}
