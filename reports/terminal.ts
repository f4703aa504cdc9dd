/**
 * The end of a run in a terminal: sentences, a matrix, what was found, where to look next.
 *
 * What always holds: no line is wider than asked (80 and 120 columns look good; less than 60 is taken as 60), but for
 * commands and file names, which must stay whole to be copied; a verdict is glyph and word, or a glyph that the legend
 * under the matrix explains; nothing that a client wrote can steer the terminal; same record, same text.
 */
import type { CellRecord, RunRecord, Verdict } from '../scenarios/record.ts'
import { type GateOptions, gate, weigh } from './gate.ts'
import { headlines, sentence } from './headline.ts'
import { type Paint, painter } from './style.ts'
import * as summary from './summary.ts'
import { clip, columns, count, group, padEnd, visible, wrap } from './text.ts'
import { labelled, tally, VERDICT_LOOKS, VERDICT_ORDER } from './verdicts.ts'

export interface TerminalOptions {
  readonly color: boolean
  /** Columns. */
  readonly width: number
  /** Findings do not fail this run: the exit code that is told is 0. */
  readonly findingsAreFine?: boolean
  /** What counts as a failure. */
  readonly gate?: GateOptions
  /** The files of the run, as the user would type them, with what they are. */
  readonly files: readonly { readonly path: string; readonly title: string }[]
  /** The command that runs everything again, where this run was a part of it. */
  readonly fullRun?: string
  /** A comparison follows, and it has the result: none is told here. */
  readonly compared?: boolean
  /** The command that shows one cell: `badmx show strip/strip-ehlo-omit/verify/curl`. */
  show(cell: CellRecord): string
}

/** Groups of one kind that are told; the rest is counted. */
const MOST = 30

/** Characters of a reason that are told; `badmx show` has the rest. */
const REASON = 300

export function renderTerminal(record: RunRecord, options: TerminalOptions): string {
  const width = Math.max(60, options.width)
  const paint = painter(options.color)
  const gateOptions = options.gate ?? {}
  const sections = [
    opening(record, gateOptions, width, paint),
    ...matrices(record, width, paint),
    groups('Findings', record, summary.findingGroups(record, gateOptions), width, paint),
    groups('Worth knowing', record, summary.noticeGroups(record, gateOptions), width, paint),
    groups('Without a result', record, summary.troubleGroups(record), width, paint),
    unexpected(record, width, paint),
    unexplained(record, width, paint),
    known(record, width, paint),
    closing(record, options, paint),
    options.compared === true ? [] : result(record, gateOptions, options, width, paint),
  ]
  return `${sections
    .filter((section) => section.length > 0)
    .map((section) => section.join('\n'))
    .join('\n\n')}\n`
}

/** Connections that nobody asked for. */
function unexpected({ unexpected: found = [] }: RunRecord, width: number, paint: Paint): string[] {
  if (found.length === 0) return []
  const lines = found.slice(0, MOST).map(({ cell, detail }) => (cell === undefined ? detail : `${cell}: ${detail}`))
  const rest = found.length - lines.length
  return [
    paint('bold', 'Unexpected connections'),
    ...lines.flatMap((line) => wrap(visible(line), width - 2).map((part) => `  ${part}`)),
    ...(rest > 0 ? [`  … and ${group(rest)} more`] : []),
  ]
}

/** A crash that no verdict tells of. */
function unexplained(record: RunRecord, width: number, paint: Paint): string[] {
  const ends = summary.unexplainedEnds(record)
  if (ends.length === 0) return []
  const lines = ends.flatMap((end) => wrap(visible(end), width - 2).map((part) => `  ${part}`))
  return [paint('bold', 'Crashes that no cell has shown alone'), ...lines]
}

function opening(record: RunRecord, gateOptions: GateOptions, width: number, paint: Paint): string[] {
  const colours = { bad: 'red', doubt: 'yellow', good: 'green' } as const
  return headlines(record, gateOptions).flatMap((headline) => {
    const strong = headline.parts.filter((part) => part.strong).map((part) => part.text)
    return wrap(sentence(headline), width).map((line) =>
      emphasised(line, strong, (text) => paint(colours[headline.tone], paint('bold', text))),
    )
  })
}

/** Emphasis after wrapping: a strong text that was broken over two lines stays plain. */
function emphasised(line: string, strong: readonly string[], emphasise: (text: string) => string): string {
  let done = ''
  let rest = line
  for (const text of strong) {
    const at = rest.indexOf(text)
    if (at === -1) continue
    done += rest.slice(0, at) + emphasise(text)
    rest = rest.slice(at + text.length)
  }
  return done + rest
}

/** Per client a block: families down, policies across, counts of verdicts in the cells; then the legend. */
function matrices(record: RunRecord, width: number, paint: Paint): string[][] {
  const controls = record.cells.filter((cell) => cell.role === 'harness-control')
  const counted = record.cells.filter((cell) => cell.role !== 'harness-control')
  const blocks = summary.clientIds(record).flatMap((client) => {
    const cells = counted.filter((cell) => cell.client === client)
    return cells.length === 0 ? [] : matrix(nameOf(record, client, width), cells, width, paint)
  })
  const passed = controls.filter((cell) => weigh(cell) === 'fine').length
  const legend = [
    ...tally(counted).map(([verdict, number]) => `${labelled(verdict)} ${group(number)}`),
    ...(controls.length > 0 ? [`harness controls: ${passed} of ${controls.length} passed`] : []),
    ...(summary.again(record) > 0 ? [`run again, each alone: ${group(summary.again(record))}`] : []),
  ]
  return [...blocks, spread(legend, width).map((line) => paint('dim', line))]
}

/** Items three spaces apart, none broken over two lines. */
function spread(items: readonly string[], width: number): string[] {
  const lines: string[] = []
  for (const item of items) {
    const line = lines.at(-1)
    if (line === undefined || columns(line) + 3 + columns(item) > width) lines.push(item)
    else lines[lines.length - 1] = `${line}   ${item}`
  }
  return lines
}

interface Column {
  readonly policy: string
  readonly cells: readonly (readonly (readonly [Verdict, number])[])[]
  readonly width: number
}

function matrix(name: string, cells: readonly CellRecord[], width: number, paint: Paint): string[][] {
  const families = summary.distinct(cells.map(summary.familyOf))
  const all: Column[] = summary.policiesOf(cells).map((policy) => {
    const column = families.map((family) =>
      tally(cells.filter((cell) => cell.policy === policy && summary.familyOf(cell) === family)),
    )
    return { policy, cells: column, width: Math.max(columns(policy), ...column.map((each) => columns(counted(each)))) }
  })
  const first = 2 + Math.max(...families.map(columns))
  return fitting(all, width - first).map((some) => {
    const head = some
      .map((column) => padEnd(column.policy, column.width))
      .join('  ')
      .trimEnd()
    const rows = families.map((family, row) => {
      const line = some.map((column) => {
        const here = column.cells[row] ?? []
        return coloured(here, paint) + ' '.repeat(column.width - columns(counted(here)))
      })
      return `  ${padEnd(family, first)}${line.join('  ')}`.trimEnd()
    })
    return [paint('bold', name), `  ${' '.repeat(first)}${head}`, ...rows]
  })
}

/** As many columns as fit, and the rest in further blocks. */
function fitting(all: readonly Column[], width: number): Column[][] {
  const blocks: Column[][] = []
  let used = 0
  for (const column of all) {
    const block = blocks.at(-1)
    if (block === undefined || used + 2 + column.width > width) {
      blocks.push([column])
      used = 2 + column.width
    } else {
      block.push(column)
      used += 2 + column.width
    }
  }
  return blocks
}

function counted(counts: readonly (readonly [Verdict, number])[]): string {
  return counts.map(([verdict, number]) => `${VERDICT_LOOKS[verdict].glyph}${number}`).join(' ')
}

function coloured(counts: readonly (readonly [Verdict, number])[], paint: Paint): string {
  return counts.map((one) => paint(VERDICT_LOOKS[one[0]].colour, counted([one]))).join(' ')
}

function groups(
  title: string,
  record: RunRecord,
  all: readonly summary.CellGroup[],
  width: number,
  paint: Paint,
): string[] {
  if (all.length === 0) return []
  const indent = 3 + Math.max(...VERDICT_ORDER.map((verdict) => columns(labelled(verdict))))
  const lines = [paint('bold', title)]
  let client = ''
  for (const one of all.slice(0, MOST)) {
    if (one.client !== client) lines.push(`  ${nameOf(record, one.client, width - 2)}`)
    client = one.client
    const label = paint(VERDICT_LOOKS[one.verdict].colour, labelled(one.verdict))
    const pad = ' '.repeat(indent - 3 - columns(labelled(one.verdict)))
    const [head = '', ...more] = wrap(subject(one), width - indent)
    lines.push(`  ${label}${pad} ${head}`)
    for (const line of [...more, ...wrap(visible(clip(one.reason, REASON)), width - indent)])
      lines.push(' '.repeat(indent) + line)
  }
  if (all.length > MOST) lines.push(`  … and ${count(all.length - MOST, 'more', 'more')}`)
  return lines
}

/** The client's name for a heading; the sentences have all of it. */
function nameOf(record: RunRecord, client: string, width: number): string {
  return wrap(visible(summary.clientName(record, client)), width)[0] ?? ''
}

/** `strip/strip-ehlo-omit under may, verify` */
function subject(one: summary.CellGroup): string {
  const shown = one.scenarios.slice(0, 3).map(visible).join(', ')
  const more = one.scenarios.length > 3 ? ` and ${count(one.scenarios.length - 3, 'more scenario')}` : ''
  return `${shown}${more} under ${one.policies.join(', ')}`
}

function known(record: RunRecord, width: number, paint: Paint): string[] {
  const unexpected = record.cells.filter((cell) => cell.known?.unexpectedPass)
  if (unexpected.length === 0) return []
  const lines = unexpected.flatMap((cell) => wrap(visible(`${cell.id}: ${cell.known?.reason}`), width - 2))
  return [paint('bold', 'Known deviations that did not come'), ...lines.map((line) => `  ${line}`)]
}

function closing(record: RunRecord, options: TerminalOptions, paint: Paint): string[] {
  const room = Math.max(0, ...options.files.map((file) => columns(visible(file.path))))
  const files = options.files.map(
    (file) => `  ${padEnd(visible(file.path), room)}  ${paint('dim', visible(file.title))}`,
  )
  const shown = [...summary.findingGroups(record, options.gate ?? {}), ...summary.troubleGroups(record)]
    .flatMap((one) => one.cells.slice(0, 1))
    .filter((cell) => cell.verdict !== 'missing')
    .slice(0, 3)
  return [
    ...(files.length > 0 ? [paint('bold', 'Reports'), ...files] : []),
    ...(shown.length > 0
      ? [paint('bold', 'Look closer'), ...shown.map((cell) => `  ${visible(options.show(cell))}`)]
      : []),
    ...(options.fullRun === undefined ? [] : [paint('bold', 'Run everything'), `  ${visible(options.fullRun)}`]),
  ]
}

function result(
  record: RunRecord,
  gateOptions: GateOptions,
  options: TerminalOptions,
  width: number,
  paint: Paint,
): string[] {
  const { exitCode, reasons } = gate(record, gateOptions)
  const words = { 0: 'fine', 1: 'findings', 3: 'harness trouble' } as const
  const colours = { 0: 'green', 1: 'red', 3: 'yellow' } as const
  const passed = record.cells.filter((cell) => weigh(cell, gateOptions) === 'fine').length
  const all = [`${group(passed)} of ${count(record.cells.length, 'cell')} fine`, ...reasons].join('; ')
  // What the clients do wrong is the point of a tour, not its failure.
  const code = options.findingsAreFine === true && exitCode === 1 ? 0 : exitCode
  const label = `Result: ${words[exitCode]} (exit code ${code})`
  const lines = wrap(`${label}: ${all}.`, width)
  return lines.map((line) => line.replace(label, paint(colours[exitCode], paint('bold', label))))
}
