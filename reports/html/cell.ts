/**
 * The view of one cell, in the order in which a maintainer asks: what happened and why that is the verdict, whether the
 * attack really took place, what was expected, the ladder, what the client offered and said, and how to see it again.
 */
import type { ClientSaid, LogEvent, NoticeCame } from '../../scenarios/events.ts'
import type { CellRecord, ProofRecord, RunRecord } from '../../scenarios/record.ts'
import { isKnown } from '../gate.ts'
import { buildLadder, loggedLines } from '../ladder/build.ts'
import { ladderItems, timeText } from '../ladder/list.ts'
import { renderLadderSvg } from '../ladder/svg.ts'
import { lettersOf } from '../letters.ts'
import { code, escaped } from '../markdown-text.ts'
import { attribute, text } from '../markup.ts'
import { clientName, observed } from '../summary.ts'
import { clip, count, placeOf } from '../text.ts'
import { labelled } from '../verdicts.ts'
import { attemptsSection } from './attempts.ts'
import { dnsSection } from './dns.ts'
import { duration, facts, link, section, verdictChip } from './pieces.ts'
import { cellPlace, clientPlace, scenarioPlace } from './places.ts'
import { tlsSection } from './tls.ts'

/** Lines of a client's log that are shown, and of one that passed; and their characters. The event log has the whole. */
const LOG_LINES = 200
const LOG_LINES_PASSED = 40
const LOG_LINE = 500

export interface CellContext {
  readonly record: RunRecord
  /** The events of the cell, in the order of the log; empty where there is no log. */
  readonly events: readonly LogEvent[]
  /** The path of its capture, relative to the page, where there is one. */
  readonly capture?: string | undefined
}

export function renderCell(cell: CellRecord, { record, events, capture }: CellContext): string {
  const origin = events[0]?.t ?? 0
  return [
    `<article class="view cell"${attribute('id', cellPlace(cell))} data-verdict="${cell.verdict}">`,
    heading(cell, record),
    actions(cell, record, capture),
    `<div class="pair">${judgement(cell)}${proof(cell, origin)}</div>`,
    section('What weighed', 'weights', weights(cell)),
    events.length === 0 ? '' : ladderSection(cell, events),
    section('Attempts', 'attempts', attemptsSection(cell, events, origin)),
    section('TLS', 'tls', tlsSection(cell, events)),
    section('DNS', 'dns', dnsSection(events, origin)),
    section('What the client said', 'said', said(cell, events, origin)),
    '</article>',
  ].join('')
}

function heading(cell: CellRecord, record: RunRecord): string {
  const [family = ''] = cell.scenario.split('/', 1)
  const policy = cell.policy === cell.judgedAs ? cell.policy : `${cell.policy}, judged as ${cell.judgedAs}`
  const repetition = /#\d+$/.exec(cell.id)?.[0]
  const crumbs = [
    text(family),
    link(scenarioPlace(cell.scenario), text(cell.scenario.split('/').slice(1).join('/'))),
    link(clientPlace(cell.client), text(clientName(record, cell.client))),
    text(policy),
    ...(repetition === undefined ? [] : [`repetition ${repetition}`]),
  ]
  const known = isKnown(cell)
    ? `<p class="known">Known deviation: ${text(cell.known?.reason ?? '')}</p>`
    : cell.known === undefined
      ? ''
      : `<p class="known">A known deviation that did not come: ${text(cell.known.reason)}</p>`
  return `<header><p class="crumbs">${crumbs.join(' <span aria-hidden="true">/</span> ')}</p><h2 tabindex="-1">${verdictChip(cell.verdict)} ${text(cell.title)}</h2><p class="reason">${text(cell.reason)}</p>${known}${tries(cell)}</header>`
}

/** That there were two tries, and which of them this is. */
function tries({ again }: CellRecord): string {
  if (again === undefined) return ''
  const which =
    again.counts === 'first'
      ? 'This is the first of two tries, which was spoilt'
      : 'This is the second of two tries, alone; the first was spoilt'
  return `<p class="known">${which}: ${text(again.spoilt)}</p>`
}

function actions(cell: CellRecord, record: RunRecord, capture: string | undefined): string {
  const file =
    capture === undefined
      ? ''
      : `<a class="button"${attribute('href', capture.split('/').map(encodeURIComponent).join('/'))} download>Capture (pcapng)</a>`
  return `<div class="actions"><code class="run">${text(cell.reproduce)}</code><button type="button" data-copy="run">Copy</button><button type="button" data-copy="issue">Copy as issue</button>${file}<pre class="issue" hidden>${issueLines(cell, record).map(text).join('\n')}</pre></div>`
}

/** Markdown for a bug report. The page adds the ladder from its list. */
function issueLines(cell: CellRecord, record: RunRecord): readonly string[] {
  return [
    `**${labelled(cell.verdict)}**: ${escaped(cell.reason)}`,
    '',
    `- client: ${escaped(clientName(record, cell.client))}, told to require \`${cell.policy}\``,
    `- scenario: ${code(cell.scenario)}: ${escaped(cell.title)}`,
    `- expected: ${code(cell.expected)}${legend(cell.expected)}${cell.clause === undefined ? '' : `, ${escaped(cell.clause)}`}`,
    `- observed: ${code(observed(cell))}`,
    ...cell.proof
      .filter(({ state }) => state === 'fired')
      .map(({ behaviour, detail }) => `- proof: ${code(behaviour)} fired: ${escaped(clip(detail, 300))}`),
    ...cell.findings.map(({ flag, detail }) => `- ${code(flag)}: ${escaped(clip(detail, 300))}`),
    '',
    `Reproduce with badmx ${escaped(record.badmx)}: ${code(cell.reproduce)}`,
  ]
}

function legend(expected: string): string {
  const letters = lettersOf(expected).map(([letter, meaning]) => `${letter} = ${meaning}`)
  return letters.length === 0 ? '' : ` (${letters.join(', ')})`
}

function judgement(cell: CellRecord): string {
  const letters = lettersOf(cell.expected)
    .map(([letter, meaning]) => `<span><b>${letter}</b> ${meaning}</span>`)
    .join(' ')
  return section(
    'Expected and observed',
    'judgement',
    `<table class="versus"><thead><tr><th scope="col">Expected</th><th scope="col">Observed</th></tr></thead><tbody><tr><td><code>${text(cell.expected)}</code><small class="letters">${letters}</small></td><td>${text(observed(cell))}</td></tr></tbody></table>${facts(
      [
        ...(cell.clause === undefined ? [] : [['source', text(cell.clause)] as const]),
        ['severity', cell.severity],
        ['took', duration(cell.durationMs)],
      ],
    )}`,
  )
}

/** Nothing is judged without the proof that the fault took place. Of a long story what fired stands in front. */
function proof(cell: CellRecord, origin: number): string {
  const title = 'Proof that it happened'
  if (cell.proof.length === 0)
    return section(title, 'proof', '<p class="dim">Nothing was to fire: all of this world is sound.</p>')
  const list = (proofs: readonly ProofRecord[]): string =>
    `<ul>${proofs.map((each) => proofItem(each, origin)).join('')}</ul>`
  if (cell.proof.length <= SHORT_PROOF) return section(title, 'proof', list(cell.proof))
  const fired = cell.proof.filter(({ state }) => state === 'fired')
  const left = fired.length - SHORT_PROOF
  const more = left > 0 ? `<p class="dim">and fired ${count(left, 'more time')}</p>` : ''
  const all = `<details><summary>All ${count(cell.proof.length, 'step')}</summary>${list(cell.proof.slice(0, 60))}</details>`
  return section(title, 'proof', `${list(fired.slice(0, SHORT_PROOF))}${more}${all}`)
}

/** Steps of a proof that are shown all at once. */
const SHORT_PROOF = 6

const PROOF_GLYPHS = { armed: '·', opportunity: '◇', fired: '◆' } as const

function proofItem({ behaviour, state, atMs, detail, host }: ProofRecord, origin: number): string {
  const time = timeText(Math.max(0, atMs - origin))
  return `<li class="${state}"><i aria-hidden="true">${PROOF_GLYPHS[state]}</i> <b>${state}</b> <code>${text(behaviour)}</code> ${text(placeOf(host))}, ${time}<br>${text(clip(detail, 400))}</li>`
}

/** The flags with what they weigh, and the predicates of the scenario. */
function weights(cell: CellRecord): string {
  const flags = cell.findings.map(
    ({ flag, weight, detail }) =>
      `<li><span class="w ${weight}">${weight}</span> <code>${text(flag)}</code> ${text(clip(detail, 400))}</li>`,
  )
  const asserts = cell.asserts.map(({ assert, held, detail }) => {
    const word = held === true ? 'holds' : held === false ? 'broken' : 'does not apply'
    return `<li><span class="w ${held === false ? 'fail' : 'info'}">${word}</span> <code>${text(assert)}</code> ${text(clip(detail, 400))}</li>`
  })
  const all = [...flags, ...asserts]
  return all.length === 0 ? '' : `<ul>${all.join('')}</ul>`
}

function ladderSection(cell: CellRecord, events: readonly LogEvent[]): string {
  const ladder = buildLadder(events, cell)
  if (ladder.rows.length === 0) return ''
  const scaled = ladder.timeScale === 1 ? '' : ` Delays and deadlines were divided by ${ladder.timeScale}.`
  const items = ladderItems(ladder).map(({ time, text: first, more }) => {
    const rest = more.map((line) => `\n${text(line)}`).join('')
    return `<li>${time === undefined ? '' : `<time>${time}</time> `}${text(first)}${rest}</li>`
  })
  return section(
    'Ladder',
    'rungs',
    `<p class="dim key"><span><svg class="ladder" viewBox="0 0 34 8" width="34" height="8" aria-hidden="true"><path class="arrow" d="M0 4H32"/></svg> in clear</span> <span><svg class="ladder" viewBox="0 0 34 8" width="34" height="8" aria-hidden="true"><path class="arrow secure" d="M0 2.5H32M0 5.5H32"/></svg> in TLS</span>${scaled}</p><div class="wide picture">${renderLadderSvg(ladder)}</div><details class="twin"><summary>The ladder as a list</summary><ol>${items.join('')}</ol></details>`,
  )
}

function said(cell: CellRecord, events: readonly LogEvent[], origin: number): string {
  const most = cell.verdict === 'pass' ? LOG_LINES_PASSED : LOG_LINES
  return events
    .map((event) => {
      if (event.type === 'client') return word(event, origin, most)
      return event.type === 'notice' ? notice(event, origin) : ''
    })
    .join('')
}

function word(event: ClientSaid, origin: number, most: number): string {
  const { t, attempt, word: own } = event
  const state = [
    own.state,
    ...(own.kind === undefined ? [] : [own.kind]),
    ...(own.exitCode === undefined ? [] : [`exit code ${own.exitCode}`]),
    ...(own.signal === undefined ? [] : [`signal ${own.signal}`]),
    ...(own.claims?.encrypted === undefined ? [] : [`claims ${own.claims.encrypted ? '' : 'no '}TLS`]),
    ...(own.claims?.verified === undefined
      ? []
      : [`claims ${own.claims.verified ? 'a verified peer' : 'that the peer is not verified'}`]),
  ]
  const head = `<p><b>Attempt ${attempt}, ${timeText(t - origin)}: ${text(state.join(', '))}</b><br>${text(clip(own.reason, 600))}</p>`
  const lines = loggedLines(event).map(({ line, t: came }) => ({
    line,
    ...(came === undefined ? {} : { at: came - origin }),
  }))
  return head + log(lines, most)
}

/** The bounce that came back to the sender. */
function notice({ t, attempt, data }: NoticeCame, origin: number): string {
  const lines = data
    .toString('latin1')
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)
  return `<p><b>Attempt ${attempt}, ${timeText(t - origin)}: a notice came back to the sender</b></p>${log(
    lines.map((line) => ({ line })),
    LOG_LINES,
  )}`
}

/** The last lines of a log, each with its time on the clock of the ladder where that is known. */
function log(all: readonly { readonly line: string; readonly at?: number }[], most: number): string {
  const lines = all.slice(-most).map(({ line, at }) => {
    const time = at === undefined ? '' : `<time>${text(timeText(at))}</time> `
    return time + text(clip(line, LOG_LINE))
  })
  const left = all.length - lines.length
  const cut = left > 0 ? `<p class="dim">${count(left, 'line')} before these are in the event log</p>` : ''
  return lines.length === 0 ? '' : `${cut}<pre class="log" tabindex="0">${lines.join('\n')}</pre>`
}
