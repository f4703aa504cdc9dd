/**
 * A comparison for people: in a terminal, and as Markdown for a pull request or the summary of a CI job.
 *
 * What always holds: the same groups in the same order in both; no line of the terminal's text is wider than asked
 * (less than 60 columns is taken as 60); nothing that a client wrote can steer a terminal or become markup; what is cut
 * is counted; same comparison, same text.
 */
import { CHANGE_KINDS, type ChangeKind, type Comparison } from './compare.ts'
import {
  type ChangeGroup,
  COUNTED,
  changeGroups,
  circumstances,
  clientsOf,
  counts,
  difference,
  nameOf,
  REASON,
  RESULTS,
  remarks,
  summaryOf,
  TITLES,
} from './compare-words.ts'
import { code, escaped, fitted } from './markdown-text.ts'
import { type Paint, painter } from './style.ts'
import { clip, columns, count, visible, wrap } from './text.ts'
import { labelled, VERDICT_LOOKS, VERDICT_ORDER } from './verdicts.ts'

/** Groups of one kind that are told; the rest is counted. */
const MOST = 30

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
