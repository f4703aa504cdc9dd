/**
 * JUnit XML, for CI systems. There is no standard; this is the subset that Jenkins, GitLab and GitHub actions agree on:
 * testsuites > testsuite > testcase with at most one of failure, error and skipped, then system-out.
 *
 * What always holds: one suite per client and policy, `classname` is both (`curl.verify`), and classname with name is
 * unique, because GitLab drops duplicates. A cell that fails the run is a failure, one without a result an error; what
 * says nothing about the client, and what was known, is skipped with its reason; what is flagged passes and says so.
 */
import type { CellRecord, RunRecord } from '../../scenarios/record.ts'
import type { ReportFormat } from '../format.ts'
import { type GateOptions, weigh } from '../gate.ts'
import { clientName, observed } from '../summary.ts'
import { placeOf, visible } from '../text.ts'

export const format: ReportFormat = {
  id: 'junit',
  file: 'junit.xml',
  title: 'JUnit XML, for CI systems',
  render(record, options = {}) {
    const suites = new Map<string, CellRecord[]>()
    for (const cell of record.cells) {
      const name = `${cell.client}.${cell.policy}`
      suites.set(name, [...(suites.get(name) ?? []), cell])
    }
    const all = totals(record.cells, options)
    const lines = [
      '<?xml version="1.0" encoding="UTF-8"?>',
      `<testsuites name="badmx" ${all}>`,
      ...[...suites].flatMap(([name, cells]) => suite(record, name, cells, options)),
      '</testsuites>',
    ]
    return `${lines.join('\n')}\n`
  },
}

function suite(record: RunRecord, name: string, cells: readonly CellRecord[], options: GateOptions): string[] {
  const timestamp = record.startedAt.replace(/(\.\d+)?Z$/, '')
  const properties = {
    client: clientName(record, cells[0]?.client ?? ''),
    badmx: record.badmx,
    seed: String(record.seed),
    timeScale: String(record.timeScale),
  }
  const used = new Set<string>()
  return [
    `  <testsuite name=${quoted(name)} timestamp=${quoted(timestamp)} ${totals(cells, options)}>`,
    '    <properties>',
    ...Object.entries(properties).map(([key, value]) => `      <property name="${key}" value=${quoted(value)}/>`),
    '    </properties>',
    ...cells.flatMap((cell) => testcase(name, uniqueName(cell, used), cell, options)),
    '  </testsuite>',
  ]
}

/** The scenario, with what tells a repetition apart (`#2`, which ends the cell's id, or a count). */
function uniqueName(cell: CellRecord, used: Set<string>): string {
  const base = cell.scenario + (/#\d+$/.exec(cell.id)?.[0] ?? '')
  let name = base
  for (let number = 2; used.has(name); number++) name = `${base} (${number})`
  used.add(name)
  return name
}

function testcase(suiteName: string, name: string, cell: CellRecord, options: GateOptions): string[] {
  const message = quoted(`${cell.verdict}: ${cell.reason}`)
  const text = escaped(details(cell).map(visible).join('\n'))
  const head = `    <testcase classname=${quoted(suiteName)} name=${quoted(name)} time="${seconds([cell])}"`
  switch (weigh(cell, options)) {
    case 'finding':
      return [
        `${head}>`,
        `      <failure type="${cell.verdict}" message=${message}>${text}</failure>`,
        '    </testcase>',
      ]
    case 'trouble':
      return [`${head}>`, `      <error type="${cell.verdict}" message=${message}>${text}</error>`, '    </testcase>']
    case 'neutral':
      return [`${head}>`, `      <skipped message=${message}/>`, '    </testcase>']
    case 'known': {
      const known = quoted(`known deviation: ${cell.known?.reason}; ${cell.verdict}: ${cell.reason}`)
      return [`${head}>`, `      <skipped message=${known}/>`, '    </testcase>']
    }
    case 'fine':
      if (cell.verdict === 'pass' && cell.known === undefined) return [`${head}/>`]
      return [`${head}>`, `      <system-out>${text}</system-out>`, '    </testcase>']
  }
}

function details(cell: CellRecord): string[] {
  return [
    `${cell.verdict}: ${cell.reason}`,
    `scenario: ${cell.title} (${cell.severity})`,
    `expected: ${cell.expected}${cell.clause === undefined ? '' : ` (${cell.clause})`}`,
    `observed: ${observed(cell)}`,
    ...cell.findings.map((finding) => `${finding.weight}: ${finding.flag}: ${finding.detail}`),
    ...cell.proof.map((proof) => `${proof.state}: ${proof.behaviour} ${placeOf(proof.host)}: ${proof.detail}`),
    ...(cell.known?.unexpectedPass ? [`known deviation did not come: ${cell.known.reason}`] : []),
    `reproduce: ${cell.reproduce}`,
  ]
}

function totals(cells: readonly CellRecord[], options: GateOptions): string {
  const weights = cells.map((cell) => weigh(cell, options))
  const number = (...wanted: readonly string[]): number => weights.filter((weight) => wanted.includes(weight)).length
  const skipped = number('neutral', 'known')
  const counts = `tests="${cells.length}" failures="${number('finding')}" errors="${number('trouble')}" skipped="${skipped}"`
  return `${counts} time="${seconds(cells)}"`
}

function seconds(cells: readonly CellRecord[]): string {
  return (cells.reduce((sum, cell) => sum + cell.durationMs, 0) / 1000).toFixed(3)
}

function quoted(text: string): string {
  return `"${escaped(visible(text))}"`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
