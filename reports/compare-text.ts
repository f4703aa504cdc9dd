/**
 * A comparison for people: in a terminal, and as Markdown for a pull request or the summary of a CI job.
 *
 * What always holds: the same groups in the same order in both; no line of the terminal's text is wider than asked
 * (less than 60 columns is taken as 60); nothing that a client wrote can steer a terminal or become markup; what is cut
 * is counted; same comparison, same text.
 */
import { POLICIES, type Policy } from '../scenarios/policy.ts'
import { CHANGE_KINDS, type Change, type ChangeKind, type Comparison, type Side, type Standing } from './compare.ts'
import { code, escaped, fitted } from './markdown-text.ts'
import { type Paint, painter } from './style.ts'
import { distinct } from './summary.ts'
import { clip, columns, count, group, listed, visible, wrap } from './text.ts'
import { labelled, tally, VERDICT_LOOKS, VERDICT_ORDER } from './verdicts.ts'

const TITLES: Readonly<Record<ChangeKind, string>> = {
  'new-leak': 'New leaks',
  regression: 'Regressions',
  unanswered: 'No result any more',
  tolerated: 'Worse, and not counted',
  changed: 'Another verdict',
  fixed: 'Fixed',
  answered: 'A result for the first time',
  outcome: 'Same verdict, other behaviour',
  added: 'Added',
  removed: 'Removed',
}

/** The kinds that are counted by family and not told one by one. */
const COUNTED: readonly ChangeKind[] = ['added', 'removed']

/** Groups of one kind that are told; the rest is counted. */
const MOST = 30

/** Characters of a reason that are told. */
const REASON = 300

/** Changes of one client that say the same: only the policies differ. */
interface ChangeGroup {
  readonly first: Change
  /** Distinct, weakest first. */
  readonly policies: readonly Policy[]
}

/** Changes that differ in nothing but the policy are one group; the order is theirs. */
function changeGroups(changes: readonly Change[]): readonly ChangeGroup[] {
  const groups = new Map<string, Change[]>()
  for (const change of changes) {
    const { kind, scenario, client, new: now } = change
    const key = JSON.stringify([kind, client, scenario, now?.verdict, now?.reason, difference(change), remarks(change)])
    groups.set(key, [...(groups.get(key) ?? []), change])
  }
  return [...groups.values()].flatMap((members) => {
    const [first] = members
    const policies = POLICIES.filter((policy) => members.some((change) => change.policy === policy))
    return first === undefined ? [] : [{ first, policies }]
  })
}

/** What was, in one phrase: `was leak: sent MAIL FROM …`. For an equal verdict, what differs. */
function difference({ old, new: now }: Change): string {
  if (old === undefined) return ''
  if (old.verdict !== now?.verdict) return `was ${old.verdict}: ${clip(old.reason, REASON)}`
  const [gone, came] = [old.flags.filter(without(now.flags)), now.flags.filter(without(old.flags))]
  const outcomes = (standing: Standing): string => standing.outcomes.join(' or ')
  return [
    ...(outcomes(old) === outcomes(now) ? [] : [`was ${outcomes(old)}, is ${outcomes(now)}`]),
    ...(came.length > 0 ? [`new: ${came.join(', ')}`] : []),
    ...(gone.length > 0 ? [`gone: ${gone.join(', ')}`] : []),
  ].join('; ')
}

function without(others: readonly string[]): (one: string) => boolean {
  return (one) => !others.includes(one)
}

/** What else a reader must know before they believe a change: another expectation, a known deviation. */
function remarks({ old, new: now }: Change): readonly string[] {
  return [
    ...(old !== undefined && now !== undefined && old.expected !== now.expected
      ? [`expected ${now.expected}; the old run expected ${old.expected}`]
      : []),
    ...(now?.known === undefined ? [] : [`known: ${clip(now.known, REASON)}`]),
  ]
}

/** `Nodemailer 9.0.2 → 9.0.3`; names a client that only one of the runs lists as that run does. */
function nameOf(client: string, { old, new: now }: Comparison): string {
  const find = (side: Side): Side['clients'][number] | undefined => side.clients.find(({ id }) => id === client)
  const [was, is] = [find(old), find(now)]
  const version = (one: typeof was): string =>
    one === undefined ? '' : `${one.version}${one.release === undefined ? '' : ` (${one.release})`}`
  const versions = distinct([version(was), version(is)].filter((text) => text !== ''))
  return [is?.name ?? was?.name ?? client, versions.join(' → ')].join(' ').trim()
}

/** How the runs differ beside the client: each can be why a cell changed. */
function circumstances({ old, new: now }: Comparison): readonly string[] {
  const facts = [
    ['badmx', old.badmx, now.badmx],
    ['seed', old.seed, now.seed],
    ['time scale', old.timeScale, now.timeScale],
  ] as const
  return [
    ...facts.filter(([, was, is]) => was !== is).map(([what, was, is]) => `${what} ${was} → ${is}`),
    ...(old.interrupted ? ['the old run was interrupted'] : []),
  ]
}

/** `strip: ✓ pass 10, ✗ fail 2`, a line per client and family. */
function counts(changes: readonly Change[], comparison: Comparison): readonly string[] {
  const key = ({ client, scenario }: Change): string => JSON.stringify([client, scenario.split('/', 1)[0]])
  return distinct(changes.map(key)).map((one) => {
    const [client, family] = JSON.parse(one) as [string, string]
    const verdicts = changes
      .filter((change) => key(change) === one)
      .flatMap((change) => change.new ?? change.old ?? [])
      .map(({ verdict }) => ({ verdict }))
    const told = tally(verdicts).map(([verdict, number]) => `${labelled(verdict)} ${group(number)}`)
    return `${nameOf(client, comparison)}, ${family}: ${told.join(', ')}`
  })
}

function clientsOf({ changes, old, new: now }: Comparison): readonly string[] {
  const listedIds = [...now.clients, ...old.clients].map(({ id }) => id)
  return distinct([...listedIds, ...changes.map(({ client }) => client)]).filter((id) =>
    changes.some(({ client }) => client === id),
  )
}

/** `42 cells compared: 38 unchanged, 4 fixed; 2 added` */
function summaryOf(comparison: Comparison): string {
  const told = CHANGE_KINDS.flatMap((kind) => {
    const number = comparison.changes.filter((change) => change.kind === kind).length
    return number === 0 ? [] : [`${WORDS[kind]} ${group(number)}`]
  })
  const all = listed([`unchanged ${group(comparison.unchanged)}`, ...told])
  return `${count(comparison.common, 'cell')} compared: ${all}`
}

const WORDS: Readonly<Record<ChangeKind, string>> = {
  'new-leak': 'new leaks',
  regression: 'regressions',
  unanswered: 'no result any more',
  tolerated: 'worse and not counted',
  changed: 'another verdict',
  fixed: 'fixed',
  answered: 'a result for the first time',
  outcome: 'same verdict by other behaviour',
  added: 'added',
  removed: 'removed',
}

const RESULTS = { 0: 'nothing worse', 1: 'worse than before', 2: 'nothing to compare', 3: 'harness trouble' } as const

export interface ComparisonTextOptions {
  readonly color: boolean
  /** Columns. */
  readonly width: number
}

/** For a terminal. */
export function renderComparison(comparison: Comparison, options: ComparisonTextOptions): string {
  const width = Math.max(60, options.width)
  const paint = painter(options.color)
  const opening = [
    ...clientsOf(comparison).map((client) => nameOf(client, comparison)),
    `${summaryOf(comparison)}.`,
    ...circumstances(comparison).map((fact) => `Note: ${fact}.`),
  ]
  const sections = [
    opening.flatMap((line) => wrap(visible(line), width)),
    ...CHANGE_KINDS.map((kind) => section(kind, comparison, width, paint)),
    result(comparison, width, paint),
  ]
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

function section(kind: ChangeKind, comparison: Comparison, width: number, paint: Paint): string[] {
  const changes = comparison.changes.filter((change) => change.kind === kind)
  if (changes.length === 0) return []
  const title = paint('bold', TITLES[kind])
  if (COUNTED.includes(kind)) {
    const lines = counts(changes, comparison).flatMap((line) => wrap(visible(line), width - 2))
    return [title, ...lines.map((line) => `  ${line}`)]
  }
  const lines = [title]
  const groups = changeGroups(changes)
  let client = ''
  for (const one of groups.slice(0, MOST)) {
    if (one.first.client !== client)
      lines.push(`  ${wrap(visible(nameOf(one.first.client, comparison)), width - 2)[0] ?? ''}`)
    client = one.first.client
    lines.push(...entry(one, width, paint))
  }
  if (groups.length > MOST) lines.push(`  … and ${count(groups.length - MOST, 'more', 'more')}`)
  return lines
}

const LABEL = Math.max(...VERDICT_ORDER.map((verdict) => columns(labelled(verdict))))

function entry({ first, policies }: ChangeGroup, width: number, paint: Paint): string[] {
  const verdict = first.new?.verdict ?? first.old?.verdict ?? 'missing'
  const indent = 3 + LABEL
  const label = paint(VERDICT_LOOKS[verdict].colour, labelled(verdict)) + ' '.repeat(LABEL - columns(labelled(verdict)))
  const texts = [
    `${first.scenario} under ${policies.join(', ')}`,
    ...(first.new === undefined ? [] : [clip(first.new.reason, REASON)]),
    difference(first),
    ...remarks(first),
  ]
  const [head = '', ...more] = texts
    .filter((text) => text !== '')
    .flatMap((text) => wrap(visible(text), width - indent))
  return [`  ${label} ${head}`, ...more.map((line) => ' '.repeat(indent) + line)]
}

function result({ exitCode, reasons }: Comparison, width: number, paint: Paint): string[] {
  const colours = { 0: 'green', 1: 'red', 2: 'yellow', 3: 'yellow' } as const
  const label = `Compared: ${RESULTS[exitCode]} (exit code ${exitCode})`
  const lines = wrap(`${label}: ${reasons.join('; ')}.`, width)
  return lines.map((line) => line.replace(label, paint(colours[exitCode], paint('bold', label))))
}

/** As Markdown, GitHub flavour, of at most `limit` octets of UTF-8. */
export function renderComparisonMarkdown(comparison: Comparison, limit = 1_000_000): string {
  const { exitCode, reasons } = comparison
  const sections = [
    ['# badmx: comparison'],
    clientsOf(comparison).map((client) => `- ${escaped(nameOf(client, comparison))}`),
    [`${escaped(summaryOf(comparison))}.`],
    circumstances(comparison).map((fact) => `- ${escaped(fact)}`),
    [`Compared: **${RESULTS[exitCode]}** (exit code ${exitCode}): ${reasons.map(escaped).join('; ')}.`],
    ...CHANGE_KINDS.flatMap((kind) => markdownSection(kind, comparison)),
  ]
  return fitted(
    sections.filter((section) => section.length > 0),
    limit,
  )
}

function markdownSection(kind: ChangeKind, comparison: Comparison): string[][] {
  const changes = comparison.changes.filter((change) => change.kind === kind)
  if (changes.length === 0) return []
  const title = [`## ${TITLES[kind]}`]
  if (COUNTED.includes(kind)) return [title, counts(changes, comparison).map((line) => `- ${escaped(line)}`)]
  const groups = changeGroups(changes)
  const items = groups.slice(0, MOST).map((one) => markdownItem(one, comparison))
  return [title, items, ...(groups.length > MOST ? [[`… and ${count(groups.length - MOST, 'more', 'more')}.`]] : [])]
}

function markdownItem({ first, policies }: ChangeGroup, comparison: Comparison): string {
  const { old, new: now } = first
  const verdict = now?.verdict ?? old?.verdict ?? 'missing'
  const where = `${escaped(nameOf(first.client, comparison))}, ${policies.join(', ')}`
  const told = [difference(first), ...remarks(first)].filter((text) => text !== '').map(escaped)
  return [
    `- ${labelled(verdict)} **${escaped(first.scenario)}** (${where}): ${escaped(clip(now?.reason ?? '', REASON))}`,
    ...told.map((text) => `  <br>${text}`),
    `  <br>expected ${code(now?.expected ?? old?.expected ?? '')}, observed ${code(now?.outcomes.join(' or ') ?? '')}`,
  ].join('\n')
}
