/**
 * The pages that are generated from what is there: `scenarios/CATALOGUE.md`, `peers/BEHAVIOURS.md` and
 * `peers/dns/FAULTS.md`. Pure; the same input gives the same text, so a test can tell whether a page is up to date.
 */
import type { Behaviour } from '../peers/behaviour.ts'
import type { Fault } from '../peers/dns/fault.ts'
import { parametersOf } from '../peers/registry.ts'
import { DANE_CASES } from './dane-cases.ts'
import { FAMILY_TEXT, type Family } from './families.ts'
import { COLUMNS } from './policy.ts'
import type { Scenario } from './scenario.ts'
import { FAMILIES, SEVERITIES } from './schema.ts'
import type { Waiting } from './waiting.ts'

const GENERATED = '<!-- Generated from the files in this folder; do not edit. -->'

const LEGEND = [
  'A cell says which deliveries are allowed under a policy: `V` in TLS to a peer that presented a valid certificate,',
  '`U` in TLS to one that did not, `C` in clear, `D` deferred (or a failure reported to the caller), `B` bounced.',
  '`|` is *or*; `a>b` is *first a, in a later attempt b*; `w:` is tolerated but flagged; `C~D` is C without a cached',
  'MTA-STS policy and D with one; `-` is not planned. The policy `implicit` uses the column `verify`.',
]

/** The page of all scenarios: a table per family, and what waits and why. */
export function catalogueMarkdown(scenarios: readonly Scenario[], waiting: readonly Waiting[]): string {
  const families = FAMILIES.filter((family) => scenarios.some((scenario) => scenario.family === family))
  const counts = SEVERITIES.map((word) => `${scenarios.filter(({ severity }) => severity === word).length} ${word}`)
  return page([
    '# The catalogue',
    GENERATED,
    `${scenarios.length} scenarios (${counts.join(', ')}); ${waiting.length} more wait.`,
    LEGEND.join('\n'),
    ...families.flatMap((family) => familySection(family, scenarios)),
    ...casesSection(scenarios, waiting),
    ...(waiting.length === 0 ? [] : waitingSection(waiting)),
  ])
}

function familySection(family: Family, all: readonly Scenario[]): string[] {
  const scenarios = all.filter((scenario) => scenario.family === family)
  const header = ['scenario', 'on the wire', ...COLUMNS, 'severity', 'must also hold', 'catches', 'source']
  const rows = scenarios.map((scenario) => [
    `\`${scenario.id}\`<br>${text(scenario.title)}`,
    text(scenario.wire),
    ...COLUMNS.map((column) => code(scenario.expect[column] ?? '-')),
    scenario.severity,
    scenario.asserts.map(code).join('<br>'),
    `${[scenario.flaw.name, ...scenario.flaw.with].map(code).join(' with ')} under ${scenario.flaw.policy}`,
    text(scenario.source.join('; ')),
  ])
  return [`## \`${family}\`: ${FAMILY_TEXT[family].title} (${scenarios.length})`, table(header, rows)]
}

/** Nothing where no scenario has a case. */
function casesSection(scenarios: readonly Scenario[], waiting: readonly Waiting[]): string[] {
  if (scenarios.every(({ cases }) => cases.length === 0)) return []
  const rows = DANE_CASES.map((title, index) => {
    const isCase = ({ cases }: { readonly cases: readonly number[] }): boolean => cases.includes(index + 1)
    const covering = scenarios.filter(isCase).map(({ id }) => code(id))
    const waits = waiting.filter(isCase).map(({ id }) => `waits: ${code(id)}`)
    return [String(index + 1), text(title), [...covering, ...waits].join('<br>')]
  })
  return [`## The ${DANE_CASES.length} cases of a DANE sender`, table(['case', 'what', 'scenarios'], rows)]
}

function waitingSection(waiting: readonly Waiting[]): string[] {
  const sorted = [...waiting].sort((a, b) => compare(a.needs, b.needs) || compare(a.id, b.id))
  const rows = sorted.map(({ id, needs, reason }) => [code(id), needs, text(reason)])
  return [
    `## Waiting (${waiting.length})`,
    'Known, and not run yet. They are not offered, planned or counted.',
    table(['scenario', 'needs', 'why'], rows),
  ]
}

/** The page of all behaviours, with their parameters. */
export function behavioursMarkdown(behaviours: ReadonlyMap<string, Behaviour>): string {
  return page([
    '# Behaviours',
    GENERATED,
    `${behaviours.size} behaviours. Each is one file in \`behaviours/\`, and can be stacked on a peer or a proxy.`,
    ...[...behaviours.values()].flatMap(behaviourSection),
  ])
}

function behaviourSection(behaviour: Behaviour): string[] {
  const facts = [
    `- shapes: ${behaviour.shapes.join(', ')}`,
    ...(behaviour.hides.length === 0 ? [] : [`- hides, once fired: ${behaviour.hides.join(', ')}`]),
    ...(behaviour.plane === 'record' ? ['- sees octets under TLS'] : []),
    `- source: ${text(behaviour.source.join('; '))}`,
  ]
  return [`## \`${behaviour.id}\``, text(behaviour.title), facts.join('\n'), ...parameterTable(behaviour)]
}

/** The page of all DNS faults, with their parameters. */
export function dnsFaultsMarkdown(faults: ReadonlyMap<string, Fault>): string {
  return page([
    '# DNS faults',
    GENERATED,
    `${faults.size} faults. Each is one file in \`faults/\`; a zone says which of its queries are a fault's own.`,
    ...[...faults.values()].flatMap((fault) => [
      `## \`${fault.id}\``,
      text(fault.title),
      [
        ...(fault.side === 'parent' ? ['- the zone above answers wrongly, about the zone that it is put into'] : []),
        `- source: ${text(fault.source.join('; '))}`,
      ].join('\n'),
      ...parameterTable(fault),
    ]),
  ])
}

/** Nothing for what has no parameters. */
function parameterTable(of: Parameters<typeof parametersOf>[0]): string[] {
  const rows = parametersOf(of).map(({ name, type, default: value, description }) => [
    code(name),
    text(type),
    code(value),
    text(description),
  ])
  return rows.length === 0 ? [] : [table(['parameter', 'type', 'default', 'meaning'], rows)]
}

function page(blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Text in a table's cell: one line, nothing that Markdown or HTML would take for its own. */
function text(value: string): string {
  return value
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/[\\|*_`[\]]/g, '\\$&')
}

/** Code in a table's cell. GitHub's tables end a cell at a bar even inside code; an escaped bar is shown as one. */
function code(value: string): string {
  const fence = value.includes('`') ? '``' : '`'
  return value === '' ? '' : `${fence}${value.replace(/\s+/g, ' ').replace(/\|/g, '\\|')}${fence}`
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
