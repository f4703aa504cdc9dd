/** `badmx list`: what there is to run, and what scenarios are made of. */
import type { Behaviour } from '../../peers/behaviour.ts'
import { parametersOf } from '../../peers/registry.ts'
import { expectedOf } from '../../scenarios/expected.ts'
import { familiesOf } from '../../scenarios/load.ts'
import { COLUMNS, RUNNABLE } from '../../scenarios/policy.ts'
import type { Scenario } from '../../scenarios/scenario.ts'
import { select } from '../../scenarios/select.ts'
import type { Waiting } from '../../scenarios/waiting.ts'
import { columns } from './columns.ts'

/** The policies that a scenario can have an expectation for, in the order in which they are shown. */
const SHOWN = [...COLUMNS, 'implicit'] as const

/** One scenario in `badmx list --json`; other programs rely on it. */
export interface Listed {
  readonly id: string
  readonly family: string
  readonly title: string
  readonly severity: string
  readonly source: readonly string[]
  /** Of the 72 cases of a DANE sender, those that it covers. */
  readonly cases: readonly number[]
  /** Policy to expectation, in the letters of the catalogue; policies under which it is not planned are absent. */
  readonly policies: Readonly<Record<string, string>>
}

/**
 * The scenarios that `only` means, as data.
 *
 * @throws {SelectionError} where a pattern matches nothing; `waiting` answers why.
 */
export function listScenarios(
  scenarios: readonly Scenario[],
  only: readonly string[],
  waiting: readonly Waiting[],
): readonly Listed[] {
  return select(scenarios, only, waiting).map((scenario) => ({
    id: scenario.id,
    family: scenario.family,
    title: scenario.title,
    severity: scenario.severity,
    source: scenario.source,
    cases: scenario.cases,
    policies: policiesOf(scenario),
  }))
}

function policiesOf(scenario: Scenario): Record<string, string> {
  const policies: Record<string, string> = {}
  for (const policy of SHOWN) {
    const expected = expectedOf(scenario, policy)
    if (expected !== undefined) policies[policy] = expected
  }
  return policies
}

function titleOf({ title, cases }: Scenario): string {
  return cases.length === 0 ? title : `${title} (DANE case ${cases.join(', ')})`
}

/** The same as text: a table per family, with the policies that can be run. */
export function scenariosText(
  scenarios: readonly Scenario[],
  only: readonly string[],
  waiting: readonly Waiting[],
): string {
  const chosen = select(scenarios, only, waiting)
  const shown = SHOWN.filter((policy) => RUNNABLE.includes(policy))
  const rows = [
    ['scenario', 'severity', ...shown, 'title'],
    ...chosen.map((scenario) => {
      const policies = policiesOf(scenario)
      return [scenario.id, scenario.severity, ...shown.map((policy) => policies[policy] ?? '-'), titleOf(scenario)]
    }),
  ]
  const [header = '', ...lines] = columns(rows, '  ')
  const blocks = familiesOf(chosen).map(({ id, title }) => {
    const own = lines.filter((_, index) => chosen[index]?.family === id)
    return [`${id}: ${title} (${own.length})`, header, ...own].join('\n')
  })
  return `${blocks.join('\n\n')}\n`
}

/** Behaviours with their parameters. */
export function behavioursText(behaviours: ReadonlyMap<string, Behaviour>): string {
  const blocks = [...behaviours.values()].map((behaviour) => {
    const rows = parametersOf(behaviour).map(({ name, type, default: value, description }) => [
      name,
      `${type}, default ${value}`,
      description,
    ])
    return [`${behaviour.id}: ${behaviour.title}`, ...columns(rows, '  ')].join('\n')
  })
  return `${blocks.join('\n\n')}\n`
}

/** Behaviours as data. */
export function listBehaviours(behaviours: ReadonlyMap<string, Behaviour>): readonly object[] {
  return [...behaviours.values()].map((behaviour) => ({
    id: behaviour.id,
    title: behaviour.title,
    source: behaviour.source,
    shapes: behaviour.shapes,
    hides: behaviour.hides,
    parameters: parametersOf(behaviour),
  }))
}

/** Predicates, flaws, certificate faults: names with one line each. */
export function namesText(names: ReadonlyMap<string, string>): string {
  return columns([...names])
    .map((line) => `${line}\n`)
    .join('')
}

/** What cannot be run yet, and why. */
export function waitingText(waiting: readonly Waiting[]): string {
  return columns(waiting.map(({ id, needs, reason }) => [id, needs, reason.replace(/\s+/g, ' ').trim()]))
    .map((line) => `${line}\n`)
    .join('')
}
