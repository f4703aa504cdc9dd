/**
 * `--only`: which scenarios are meant. A pattern is an id (`strip-ehlo-omit`), a name (`strip/strip-ehlo-omit`), a
 * family (`strip`), a glob over names or ids (`strip/strip-reply-*`, `*-rst`), or `severity:critical`. Several are
 * added up; one that matches nothing is an error, because a mistyped pattern must not turn into a run that tested
 * less.
 */
import { nearestNames } from '../peers/nearest-name.ts'
import type { Scenario } from './scenario.ts'
import { SEVERITIES } from './schema.ts'

/** What was asked for does not exist, or leaves nothing to run: a usage error. */
export class SelectionError extends Error {
  override readonly name = 'SelectionError'
  readonly code: 'nothing-matched' | 'nothing-planned'
  /** What was probably meant, nearest first. */
  readonly nearest: readonly string[]

  constructor(code: SelectionError['code'], message: string, nearest: readonly string[] = []) {
    super(message)
    this.code = code
    this.nearest = nearest
  }
}

/** A scenario of the catalogue that cannot be run yet. */
export interface Waits {
  readonly id: string
  readonly reason: string
}

/**
 * The scenarios that `only` means, in their own order; all of them where it is empty.
 *
 * @param waiting answers the question why a known id cannot be run.
 * @throws {SelectionError} where a pattern matches nothing.
 */
export function select(
  scenarios: readonly Scenario[],
  only: readonly string[],
  waiting: readonly Waits[] = [],
): readonly Scenario[] {
  if (only.length === 0) return scenarios
  const chosen = new Set<Scenario>()
  for (const pattern of only) {
    const hits = scenarios.filter(matcher(pattern))
    if (hits.length === 0) throw nothingMatched(pattern, scenarios, waiting)
    for (const scenario of hits) chosen.add(scenario)
  }
  return scenarios.filter((scenario) => chosen.has(scenario))
}

function matcher(pattern: string): (scenario: Scenario) => boolean {
  const severity = /^severity:(.*)$/.exec(pattern)?.[1]
  if (severity !== undefined) return (scenario) => scenario.severity === severity
  if (/[*?]/.test(pattern)) {
    const glob = new RegExp(
      `^${pattern
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replace(/\*/g, '.*')
        .replace(/\?/g, '.')}$`,
    )
    return (scenario) => glob.test(scenario.name) || glob.test(scenario.id)
  }
  return (scenario) => [scenario.id, scenario.name, scenario.family].includes(pattern)
}

function nothingMatched(pattern: string, scenarios: readonly Scenario[], waiting: readonly Waits[]): SelectionError {
  const id = pattern.split('/').at(-1) ?? pattern
  const waits = waiting.find((entry) => entry.id === id)
  if (waits !== undefined)
    return new SelectionError('nothing-matched', `"${id}" cannot be run yet: ${waits.reason}`, [])
  const names = pattern.includes('/')
    ? scenarios.map((scenario) => scenario.name)
    : [...scenarios.flatMap(({ id, family }) => [id, family]), ...SEVERITIES.map((word) => `severity:${word}`)]
  const nearest = nearestNames(pattern, names, 3)
  const advice = nearest.length === 0 ? '' : `; did you mean ${nearest.map((name) => `"${name}"`).join(' or ')}?`
  return new SelectionError('nothing-matched', `no scenario matches "${pattern}"${advice}`, nearest)
}
