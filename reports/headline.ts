/**
 * The run in sentences, one or more per client: "nodemailer 10.6.0 **leaked credentials** in 2 of 141 scenarios".
 *
 * What always holds: a scenario is counted once per client, for the worst that the client did in it under any policy;
 * the total counts only scenarios that got an answer; known deviations are counted apart.
 */
import { speaks } from '../scenarios/judge/controls.ts'
import type { CellRecord, RunRecord, Verdict } from '../scenarios/record.ts'
import { type GateOptions, isKnown, weigh } from './gate.ts'
import { clientIds, clientName, distinct } from './summary.ts'
import { count, listed, visible } from './text.ts'

export interface Headline {
  /** The id of the client. */
  readonly client: string
  /** `bad`: findings or failed controls; `doubt`: something got no answer; `good`: neither. */
  readonly tone: 'bad' | 'doubt' | 'good'
  /** Visible text without a full stop; the strong parts are to be set off. */
  readonly parts: readonly { readonly text: string; readonly strong: boolean }[]
}

/** What a client did, by the flags that weighed for the verdict; the worst first. */
const DEEDS_BY_FLAG: readonly (readonly [RegExp, string])[] = [
  [/^leak\.credentials-/, 'leaked credentials'],
  [/^leak\.content-clear$/, 'sent messages in clear'],
  [/^leak\.content-unauth$/, 'gave messages to unverified peers'],
  [/^leak\.envelope-clear$/, 'sent envelope addresses in clear'],
  [/^leak\.envelope-unauth$/, 'gave envelope addresses to unverified peers'],
  [/^inject\./, 'believed injected replies'],
  [/^leak\.client-cert$/, 'exposed its client certificate'],
  [/^downgrade\.version-dance$/, 'fell back to an older TLS'],
  [/^downgrade\./, 'fell back to cleartext'],
  [/^report\.misclaim$/, 'claimed more than the wire shows'],
  [/^report\.silent$/, 'kept silent about a downgrade'],
  [/^delivered-duplicate$/, 'delivered messages twice'],
  [/^mx\./, 'left usable mail hosts untried'],
]

/** The same by outcome, where no flag says it. */
const DEEDS_BY_OUTCOME: Readonly<Partial<Record<Verdict, Readonly<Record<string, string>>>>> = {
  leak: {
    'delivered-cleartext': 'delivered in clear',
    'delivered-unauthenticated-tls': 'delivered to unverified peers',
    'delivered-verified': 'delivered where it had to refuse',
  },
  fail: {
    lost: 'lost messages',
    crashed: 'crashed',
    hung: 'hung',
    bounced: 'bounced where it had to defer',
  },
}

const DEEDS_BY_VERDICT: Readonly<Partial<Record<Verdict, string>>> = {
  leak: 'leaked',
  fail: 'failed',
  flagged: 'did what is tolerated',
  'over-strict': 'refused what it may deliver',
}

const DEED_ORDER: readonly string[] = distinct([
  ...DEEDS_BY_FLAG.map(([, deed]) => deed),
  ...Object.values(DEEDS_BY_OUTCOME).flatMap((deeds) => Object.values(deeds)),
  ...Object.values(DEEDS_BY_VERDICT),
])

/** The worst that a client did in a cell that fails the run. */
export function deedOf(cell: CellRecord): string {
  const weighing = cell.findings.filter((finding) => finding.weight === cell.verdict)
  const flagged = DEEDS_BY_FLAG.find(([flag]) => weighing.some((finding) => flag.test(finding.flag)))
  if (flagged !== undefined) return flagged[1]
  const deeds = DEEDS_BY_OUTCOME[cell.verdict]
  return deeds?.[cell.outcome.final] ?? deeds?.[cell.outcome.first] ?? DEEDS_BY_VERDICT[cell.verdict] ?? cell.verdict
}

/** Sentences about the harness first, then about each client in the record's order. */
export function headlines(record: RunRecord, options: GateOptions = {}): readonly Headline[] {
  return [
    ...harnessHeadline(record),
    ...clientIds(record).flatMap((client) => clientHeadlines(record, client, options)),
  ]
}

/** A headline as text, each strong part passed through `emphasise`, with its full stop. */
export function sentence(headline: Headline, emphasise: (text: string) => string = (text) => text): string {
  return `${headline.parts.map((part) => (part.strong ? emphasise(part.text) : part.text)).join('')}.`
}

function harnessHeadline(record: RunRecord): Headline[] {
  const failed = record.cells.filter((cell) => cell.role === 'harness-control' && weigh(cell) === 'trouble')
  const [first] = failed
  if (first === undefined) return []
  const which = distinct(failed.map((cell) => `${cell.scenario} under ${cell.policy}`))
  return [
    headline(first.client, 'bad', [
      plain('The harness '),
      strong(`did not pass ${count(failed.length, 'control')} of its own`),
      plain(` (${listed(which)}): no verdict of this run counts`),
    ]),
  ]
}

function clientHeadlines(record: RunRecord, client: string, options: GateOptions): Headline[] {
  const own = record.cells.filter((cell) => cell.client === client)
  const controls = own.filter((cell) => cell.role === 'client-control')
  const scenarios = own.filter((cell) => cell.role === 'scenario')
  const name = clientName(record, client)
  return [
    ...controlHeadlines(client, name, controls),
    ...(scenarios.length > 0 ? [scenarioHeadline(client, name, scenarios, options)] : []),
    ...(scenarios.length === 0 && controls.length > 0 ? [onlyControls(client, name, controls)] : []),
  ]
}

const ANSWERED: ReadonlySet<Verdict> = new Set(['pass', 'flagged', 'over-strict', 'leak', 'fail', 'info'])

function scenarioHeadline(client: string, name: string, cells: readonly CellRecord[], options: GateOptions): Headline {
  const answered = distinct(cells.filter((cell) => ANSWERED.has(cell.verdict)).map((cell) => cell.scenario))
  const unanswered = cells.filter((cell) => weigh(cell, options) === 'trouble').length
  const known = cells.filter(isKnown).length
  const rest = [
    ...(unanswered > 0 ? [`${count(unanswered, 'cell')} without a result`] : []),
    ...(known > 0 ? [count(known, 'known deviation')] : []),
  ]
  const tail = plain(rest.map((text) => `; ${text}`).join(''))
  const deeds = countDeeds(cells.filter((cell) => weigh(cell, options) === 'finding'))
  if (answered.length === 0) {
    const neutral = cells.length - unanswered
    const why = neutral > 0 ? ` (${count(neutral, 'cell')} unsupported or not exercised)` : ''
    return headline(client, 'doubt', [plain(`${name}: `), strong('nothing was judged'), plain(why), tail])
  }
  const [worst, ...others] = deeds
  if (worst === undefined) {
    return headline(client, unanswered > 0 ? 'doubt' : 'good', [
      plain(`${name}: `),
      strong(known > 0 ? 'no new leak and no new failure' : 'no leak and no failure'),
      plain(` in ${count(answered.length, 'scenario')}`),
      tail,
    ])
  }
  return headline(client, 'bad', [
    plain(`${name} `),
    strong(worst[0]),
    plain(` in ${worst[1]} of ${count(answered.length, 'scenario')}`),
    ...others.flatMap(([deed, number], index) => [
      plain(index === others.length - 1 ? ' and ' : ', '),
      strong(deed),
      plain(` in ${number} more`),
    ]),
    tail,
  ])
}

/** Each scenario counted for its worst deed; the worst deed first. */
function countDeeds(findings: readonly CellRecord[]): readonly (readonly [string, number])[] {
  const worst = new Map<string, number>()
  for (const cell of findings) {
    const rank = DEED_ORDER.indexOf(deedOf(cell))
    worst.set(cell.scenario, Math.min(rank, worst.get(cell.scenario) ?? rank))
  }
  const ranks = [...worst.values()]
  return DEED_ORDER.map((deed, rank) => [deed, ranks.filter((each) => each === rank).length] as const).filter(
    ([, number]) => number > 0,
  )
}

/** A control that the client passes, or cannot be asked: what its policies do not know is no failure. */
const CONTROL_PASSED: ReadonlySet<Verdict> = new Set(['pass', 'flagged', 'info', 'unsupported', 'not-exercised'])

function controlHeadlines(client: string, name: string, controls: readonly CellRecord[]): Headline[] {
  const asked = controls.filter((cell) => cell.verdict !== 'unsupported')
  const failed = asked.filter((cell) => !CONTROL_PASSED.has(cell.verdict) && !isKnown(cell))
  const policies = distinct(failed.map((cell) => cell.policy))
  const blind = policies.filter((policy) => neverUsesTls(asked.filter((cell) => cell.policy === policy)))
  const others = failed.filter((cell) => !blind.includes(cell.policy))
  const everywhere = distinct(asked.map((cell) => cell.policy)).every(
    (policy) => policy === 'none' || blind.includes(policy),
  )
  const effect = (policies: readonly string[]): string =>
    policies.length === 0 ? '' : `: its passes under ${listed(distinct(policies))} do not count`
  const said: Headline[] = []
  if (blind.length > 0) {
    const where = everywhere ? '' : ` under ${listed(blind)}`
    said.push(headline(client, 'bad', [plain(`${name} `), strong('never uses TLS'), plain(`${where}${effect(blind)}`)]))
  }
  if (others.length > 0) {
    const which = listed(distinct(others.map((cell) => cell.scenario)))
    const untrusted = effect(others.filter((cell) => !speaks(cell)).map((cell) => cell.policy))
    const parts = [plain(`${name} `), strong('did not pass its controls'), plain(` (${which})${untrusted}`)]
    said.push(headline(client, 'bad', parts))
  }
  return said
}

/** True when all controls of one policy, most of which offer TLS, ended in a delivery in clear. */
function neverUsesTls(controls: readonly CellRecord[]): boolean {
  return controls.length > 1 && controls.every((cell) => cell.outcome.first === 'delivered-cleartext')
}

function onlyControls(client: string, name: string, controls: readonly CellRecord[]): Headline {
  const passed = controls.filter((cell) => CONTROL_PASSED.has(cell.verdict)).length
  const tone = passed === controls.length ? 'good' : 'bad'
  return headline(client, tone, [
    plain(`${name}: `),
    strong(`${passed} of ${count(controls.length, 'control')} passed`),
  ])
}

function headline(client: string, tone: Headline['tone'], parts: Headline['parts']): Headline {
  return { client, tone, parts: parts.filter((part) => part.text !== '') }
}

function plain(text: string): { text: string; strong: boolean } {
  return { text: visible(text), strong: false }
}

function strong(text: string): { text: string; strong: boolean } {
  return { text: visible(text), strong: true }
}
