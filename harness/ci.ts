/**
 * What GitHub Actions is told about a run: annotations on standard output, and the Markdown summary of the job. Nothing
 * of this happens anywhere else.
 *
 * What always holds: no text of a client becomes a workflow command; at most ten errors and ten warnings (GitHub shows
 * no more of a step), the last of which counts the rest; the summary never grows beyond 1 MiB, from where on GitHub
 * drops it.
 *
 * Source: docs.github.com, "Workflow commands for GitHub Actions", and how the runner reads a line: a command starts a
 * line, or stands anywhere in it as `##[…]`.
 */
import { appendFile, stat } from 'node:fs/promises'
import { type Comparison, failing } from '../reports/compare.ts'
import { renderComparisonMarkdown } from '../reports/compare-text.ts'
import { format as markdown } from '../reports/formats/markdown.ts'
import type { GateOptions } from '../reports/gate.ts'
import { type CellGroup, clientName, findingGroups } from '../reports/summary.ts'
import { clip, count, visible } from '../reports/text.ts'
import type { RunRecord } from '../scenarios/record.ts'

export interface CiReport {
  readonly record: RunRecord
  readonly gate: GateOptions
  /** Against the baseline, where there is one: then only what is new is annotated. */
  readonly comparison?: Comparison | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/** GitHub shows no more annotations of one level per step. */
const MOST = 10

/** Octets of a summary that GitHub keeps. */
const SUMMARY_LIMIT = 1024 * 1024

/** Octets of the comparison before the summary, whose own limit is 1,000,000. */
const COMPARISON_LIMIT = 40_000

/** True where GitHub Actions runs us. */
export function onGitHub(env: Environment): boolean {
  return env['GITHUB_ACTIONS'] === 'true'
}

/** The text with workflow commands off while it is printed. `token`: letters and digits that nobody can guess. */
export function withoutCommands(text: string, token: string): string {
  return `::stop-commands::${token}\n${text}${text.endsWith('\n') ? '' : '\n'}::${token}::\n`
}

/** Workflow commands, one a line: errors for leaks and failures, warnings for the rest of what fails the gate. */
export function annotations({ record, gate, comparison }: CiReport): readonly string[] {
  const isNew = new Set(comparison === undefined ? [] : failing(comparison).map(({ cell }) => cell))
  const groups = findingGroups(record, gate).filter(
    ({ cells }) =>
      comparison === undefined ||
      cells.some(({ scenario, policy, client }) => isNew.has(`${scenario}/${policy}/${client}`)),
  )
  const isError = ({ verdict }: CellGroup): boolean => verdict === 'leak' || verdict === 'fail'
  return [
    ...limited('error', record, groups.filter(isError)),
    ...limited(
      'warning',
      record,
      groups.filter((group) => !isError(group)),
    ),
  ]
}

function limited(level: 'error' | 'warning', record: RunRecord, groups: readonly CellGroup[]): string[] {
  const shown = groups.length > MOST ? groups.slice(0, MOST - 1) : groups
  const more = groups.length - shown.length
  const rest = `${count(more, 'more finding')}: the summary of the job has all of them`
  return [
    ...shown.map((group) => annotation(level, record, group)),
    ...(more > 0 ? [command(level, 'badmx', rest)] : []),
  ]
}

function annotation(level: 'error' | 'warning', record: RunRecord, group: CellGroup): string {
  const scenarios = group.scenarios.map(visible).join(', ')
  const who = `${visible(clientName(record, group.client))} under ${group.policies.join(', ')}`
  const lines = [
    `${clip(who, 200)}: ${clip(visible(group.reason), 600)}`,
    ...group.cells.slice(0, 1).map((cell) => `Reproduce: ${clip(visible(cell.reproduce), 600)}`),
  ]
  return command(level, `badmx: ${group.verdict} in ${clip(scenarios, 200)}`, lines.join('\n'))
}

function command(level: string, title: string, message: string): string {
  return `::${level} title=${escapedProperty(title)}::${escapedData(message)}`
}

function escapedData(text: string): string {
  return text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A')
}

function escapedProperty(text: string): string {
  return escapedData(text).replace(/:/g, '%3A').replace(/,/g, '%2C')
}

/** Prints the annotations and appends to the summary of the job. Resolves with what could not be done, in words. */
export async function tellGitHub(
  report: CiReport,
  env: Environment,
  print: (text: string) => void,
): Promise<string | undefined> {
  if (!onGitHub(env)) return undefined
  for (const line of annotations(report)) print(`${line}\n`)
  const file = env['GITHUB_STEP_SUMMARY']
  return file === undefined || file === '' ? undefined : summarise(report, file)
}

async function summarise({ record, gate, comparison }: CiReport, file: string): Promise<string | undefined> {
  const parts = [
    ...(comparison === undefined ? [] : [renderComparisonMarkdown(comparison, COMPARISON_LIMIT)]),
    markdown.render(record, gate),
  ]
  try {
    const taken = await stat(file).then(
      ({ size }) => size,
      () => 0,
    )
    const text = parts.join('\n')
    // Other commands of the same step write to the same file.
    if (taken + Buffer.byteLength(text) > SUMMARY_LIMIT) return 'the summary of the job has no room left for this run'
    await appendFile(file, text)
    return undefined
  } catch (error) {
    return `cannot write the summary of the job: ${(error as Error).message}`
  }
}
