/**
 * The report as one page: `index.html`, from `file://`, without network. The sentences, the verdicts with their numbers,
 * the facts of the run, the matrix, what was found; then a view for each cell, scenario and client.
 *
 * What always holds: without JavaScript all of it can be read but the views of scenarios, and of cells that are of no
 * interest (they pass, or were not run); a run in which more is of interest than {@link OPEN} octets lacks the rest too, and
 * says so. With JavaScript every view is there: they are packed, and what only readers without it need is never parsed.
 * Nothing that a client wrote is markup. Same record, log and options: same page.
 */
import type { LogEvent, RunBegun } from '../../scenarios/events.ts'
import type { CellRecord, RunRecord } from '../../scenarios/record.ts'
import { logOf, logsByCell } from '../by-cell.ts'
import { hasCapture } from '../capture/capture.ts'
import { capturePath } from '../capture/path.ts'
import type { ReportFormat } from '../format.ts'
import { type GateOptions, gate, weigh } from '../gate.ts'
import { type Headline, headlines } from '../headline.ts'
import { renderCell } from '../html/cell.ts'
import { renderClient } from '../html/client.ts'
import { renderFindings, renderUnexpected, renderUnexplained } from '../html/findings.ts'
import { renderCounts, renderMatrix } from '../html/matrix.ts'
import { pack } from '../html/pack.ts'
import { duration, headlineMarkup, link } from '../html/pieces.ts'
import { scenarioPlace } from '../html/places.ts'
import { renderScenario } from '../html/scenario.ts'
import { renderPage } from '../html/shell.ts'
import { text } from '../markup.ts'
import { again, clientIds, distinct } from '../summary.ts'
import { count, jsonText, listed, visible } from '../text.ts'
import { VERDICT_ORDER } from '../verdicts.ts'

/** Octets of cells that stand in the page unpacked. */
const OPEN = 1_000_000

export const format: ReportFormat = {
  id: 'html',
  file: 'index.html',
  title: 'The report, for a browser',
  render(record, options = {}, log = []) {
    const views = viewsOf(record, log)
    const body = [
      header(record, options),
      '<main>',
      `<div id="overview">${overview(record, options, log)}</div>`,
      `<div id="views">${clientIds(record)
        .map((client) => renderClient(client, record, options))
        .join('\n')}</div>`,
      `<noscript>${views.open.join('\n')}<p class="dim">${count(views.left, 'more cell')}, which mostly pass, need JavaScript to be shown here; <code>npx badmx show RUN CELL</code> shows any cell in a terminal.</p></noscript>`,
      '</main>',
      HELP,
      `<script type="application/json" id="packed">${jsonText(views.chunks).replaceAll('<', '\\u003c')}</script>`,
    ]
    return renderPage({ title: `badmx: ${title(record, options)}`, body: body.join('\n'), scripted: true })
  },
}

interface Views {
  /** Markup of the cells that stand in the page for readers without JavaScript. */
  readonly open: readonly string[]
  /** Cells that do not. */
  readonly left: number
  /** By scenario: its view, and those of its cells. */
  readonly chunks: readonly (readonly [scenario: string, packed: string])[]
}

function viewsOf(record: RunRecord, log: readonly LogEvent[]): Views {
  const logs = logsByCell(log)
  const render = (cell: CellRecord): string => {
    const { run, events } = logOf(logs, cell)
    // Captures are written beside the page where the run recorded TLS records.
    const captured = run?.capture === true && hasCapture(events, run)
    return renderCell(cell, { record, events, capture: captured ? capturePath(cell) : undefined })
  }
  const rendered = new Map(record.cells.map((cell) => [cell, render(cell)]))
  const markup = (cell: CellRecord): string => rendered.get(cell) ?? ''
  let room = OPEN
  const open: string[] = []
  for (const cell of interesting(record)) {
    room -= markup(cell).length
    if (room < 0) break
    open.push(markup(cell))
  }
  const scenarios = new Map<string, CellRecord[]>()
  for (const cell of record.cells) scenarios.set(cell.scenario, [...(scenarios.get(cell.scenario) ?? []), cell])
  const chunks = [...scenarios].map(
    ([scenario, cells]) =>
      [visible(scenario), pack([renderScenario(scenario, cells, record), ...cells.map(markup)].join(''))] as const,
  )
  return { open, left: record.cells.length - open.length, chunks }
}

/** What somebody will want to read, the worst first. */
function interesting(record: RunRecord): readonly CellRecord[] {
  const plain = ['pass', 'info', 'not-exercised', 'unsupported']
  const cells = record.cells.filter((cell) => !plain.includes(cell.verdict) || cell.known !== undefined)
  const rank = (cell: CellRecord): number => VERDICT_ORDER.indexOf(cell.verdict)
  return cells.sort((a, b) => rank(a) - rank(b))
}

function header(record: RunRecord, options: GateOptions): string {
  return [
    '<header id="top">',
    `<h1><a href="#">badmx</a></h1>`,
    '<search><label for="q">Filter</label><input id="q" type="search" spellcheck="false" autocomplete="off" placeholder="client:postfix verdict:leak is:different" disabled><button type="button" id="keys" aria-label="Keys and filters" hidden>?</button></search>',
    `<p class="result">${resultText(record, options)}</p>`,
    '</header>',
  ].join('')
}

function resultText(record: RunRecord, options: GateOptions): string {
  const words = { 0: 'fine', 1: 'findings', 3: 'harness trouble' } as const
  const { exitCode } = gate(record, options)
  return `<span class="exit e${exitCode}">${words[exitCode]}</span>`
}

function title(record: RunRecord, options: GateOptions): string {
  const [first] = worstFirst(record, options)
  return first === undefined ? 'nothing was run' : first.parts.map((part) => part.text).join('')
}

/** Of many clients, those first that somebody has to look at. */
function worstFirst(record: RunRecord, options: GateOptions): readonly Headline[] {
  const all = headlines(record, options)
  return (['bad', 'doubt', 'good'] as const).flatMap((tone) => all.filter((headline) => headline.tone === tone))
}

function overview(record: RunRecord, options: GateOptions, log: readonly LogEvent[]): string {
  const said = worstFirst(record, options).map(
    (headline) => `<p class="headline ${headline.tone}">${headlineMarkup(headline)}</p>`,
  )
  const { reasons } = gate(record, options)
  return [
    // Of many clients each has one line; the view of a client has the whole sentence.
    `<div class="headlines${said.length > 2 ? ' many' : ''}">${said.join('')}</div>`,
    renderCounts(record),
    runFacts(record, log, reasons),
    `<div class="wide" id="matrix">${renderMatrix(record)}</div>`,
    '<p id="nothing" class="dim" hidden>No cell matches the filter.</p>',
    renderFindings(record, options),
    renderUnexpected(record),
    renderUnexplained(record),
  ].join('\n')
}

function runFacts(record: RunRecord, log: readonly LogEvent[], reasons: readonly string[]): string {
  const begun = log.find((event): event is RunBegun => event.type === 'run')
  const took = Date.parse(record.finishedAt) - Date.parse(record.startedAt)
  const controls = record.cells.filter((cell) => cell.role === 'harness-control')
  const passed = controls.filter((cell) => weigh(cell) === 'fine').length
  const names = distinct(controls.map((cell) => cell.scenario)).map((scenario) =>
    link(scenarioPlace(scenario), text(scenario.split('/').at(-1) ?? scenario)),
  )
  const facts = [
    `badmx ${text(record.badmx)}`,
    `${count(distinct(record.cells.map((cell) => cell.scenario)).length, 'scenario')}, ${count(record.cells.length, 'cell')}`,
    `${text(record.startedAt.replace(/\.\d+Z$/, 'Z'))}${Number.isFinite(took) ? `, ${duration(took)}` : ''}`,
    ...criticalPath(record, log),
    `seed ${record.seed}`,
    `time limits ÷ ${record.timeScale}`,
    ...(begun === undefined
      ? []
      : [
          `Node ${text(begun.node)}, OpenSSL ${text(begun.openssl)}`,
          ...(begun.shard === '1/1' ? [] : [`shard ${text(begun.shard)}`]),
        ]),
    ...(controls.length === 0
      ? []
      : [
          `<details class="controls"><summary>harness controls: ${passed} of ${controls.length} passed</summary>${listed(names)}</details>`,
        ]),
    ...(again(record) > 0 ? [`${count(again(record), 'cell')} run again, each alone`] : []),
    ...(record.interrupted ? ['<strong>interrupted</strong>'] : []),
    ...(reasons.length === 0 ? [] : [text(reasons.join('; '))]),
  ]
  return `<ul class="facts">${facts.map((fact) => `<li>${fact}</li>`).join('')}</ul>`
}

/** What no run with these clients can be shorter than: they have to start, and the slowest cell takes its time. */
function criticalPath({ cells }: RunRecord, log: readonly LogEvent[]): string[] {
  const first = log.find(({ type }) => type === 'cell')
  if (first === undefined) return []
  const slowest = Math.max(0, ...cells.map(({ durationMs }) => durationMs))
  return [`clients ready after ${duration(first.t)}, slowest cell ${duration(slowest)}`]
}

const HELP = `<dialog id="help" aria-labelledby="help-title"><h2 id="help-title">Keys and filters</h2>
<dl><div><dt><kbd>/</kbd></dt><dd>filter</dd></div><div><dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>next and previous cell that is not a plain pass</dd></div><div><dt><kbd>u</kbd> <kbd>Esc</kbd></dt><dd>back to the matrix</dd></div><div><dt><kbd>x</kbd></dt><dd>fold or unfold all families</dd></div><div><dt>arrows</dt><dd>move in the matrix</dd></div><div><dt><kbd>c</kbd> <kbd>i</kbd></dt><dd>copy the command, copy as issue</dd></div></dl>
<p><code>client:</code> <code>policy:</code> <code>verdict:</code> <code>family:</code> <code>severity:</code> <code>flag:</code> with values separated by commas; <code>is:different</code> (clients disagree), <code>is:finding</code>, <code>is:trouble</code>, <code>is:known</code>, <code>is:control</code>; other words are searched for in ids and titles; <code>-</code> in front excludes.</p>
<form method="dialog"><button>Close</button></form></dialog>`
