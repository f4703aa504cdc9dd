/**
 * Reads the catalogue: `scenarios/catalogue/<family>/<id>.yaml`, one scenario, and `<name>.matrix.yaml`, several that
 * share fields; and a user's own files of the same two forms. Nothing is passed over in silence: what cannot be read,
 * or names what does not exist, is a {@link Problem} with its place, and its scenario is not in the result.
 */
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { z } from 'zod'
import { packageRoot } from '../peers/package-root.ts'
import { checkScenario, type KnownNames } from './check.ts'
import { FAMILY_TEXT, familyOf, isFamily } from './families.ts'
import { type Finding, type Problem, sortProblems } from './problem.ts'
import { resolveScenario, type Scenario } from './scenario.ts'
import { FAMILIES, matrixSchema, scenarioSchema } from './schema.ts'
import { explained, findings, readYaml, type YamlFile } from './yaml-file.ts'

export interface Loaded {
  readonly scenarios: readonly Scenario[]
  readonly problems: readonly Problem[]
}

/** Families in the order of {@link FAMILIES}, scenarios by id. */
export type Catalogue = Loaded

/**
 * Reads every scenario that comes with the package.
 *
 * @param known what the files may name; see {@link KnownNames}.
 * @param root the folder that has `scenarios/catalogue`.
 */
export async function loadCatalogue(known: KnownNames = {}, root: string = packageRoot()): Promise<Catalogue> {
  const folder = join(root, 'scenarios', 'catalogue')
  const parts: Loaded[] = []
  for (const family of (await readdir(folder)).sort()) {
    const place = join('scenarios', 'catalogue', family)
    if (!isFamily(family)) {
      parts.push(stray(place, `there is no family "${family}"`))
      continue
    }
    const names = (await readdir(join(folder, family))).sort()
    const loaded = names.map(async (name) => {
      const file = join(place, name)
      if (!name.endsWith('.yaml')) return stray(file, 'not read: the name of a scenario file ends in .yaml')
      return loadScenarioFile(file, await readFile(join(root, file), 'utf8'), known)
    })
    parts.push(...(await Promise.all(loaded)))
  }
  return merge(parts)
}

function stray(file: string, message: string): Loaded {
  return { scenarios: [], problems: [{ file, line: 1, column: 1, path: '', message }] }
}

/** Joins what was read from several files, a user's own after the catalogue: an id may be used once. */
export function merge(parts: readonly Loaded[]): Loaded {
  const scenarios = new Map<string, Scenario>()
  const problems = parts.flatMap((part) => part.problems)
  for (const scenario of parts.flatMap((part) => part.scenarios)) {
    const first = scenarios.get(scenario.id)
    if (first === undefined) scenarios.set(scenario.id, scenario)
    else {
      const message = `the id "${scenario.id}" is taken by ${first.file}`
      problems.push({ file: scenario.file, line: 1, column: 1, path: 'id', message })
    }
  }
  const sorted = [...scenarios.values()].sort(
    (a, b) => FAMILIES.indexOf(a.family) - FAMILIES.indexOf(b.family) || (a.id < b.id ? -1 : 1),
  )
  return { scenarios: sorted, problems: sortProblems(problems) }
}

/**
 * Reads the text of one file. Pure: the file's name decides its form, and its id and family where it has one scenario.
 */
export function loadScenarioFile(file: string, text: string, known: KnownNames = {}): Loaded {
  const yaml = readYaml(file, text)
  if (yaml.problems.length > 0) return { scenarios: [], problems: yaml.problems }
  const isMatrix = basename(file).endsWith('.matrix.yaml')
  const loaded = isMatrix ? readMatrix(yaml, known) : [readOne(yaml, yaml.value, known, (finding) => finding)]
  return merge(
    loaded.map(({ scenario, found }) => ({
      scenarios: scenario === undefined ? [] : [scenario],
      problems: found.map((finding) => yaml.locate(finding)),
    })),
  )
}

interface Read {
  readonly scenario?: Scenario
  readonly found: readonly Finding[]
}

/** @param place turns a finding about the scenario into one about the file. */
function readOne(yaml: YamlFile, raw: unknown, known: KnownNames, place: (finding: Finding) => Finding): Read {
  const { data: parsed, error } = scenarioSchema.safeParse(raw)
  if (error !== undefined) return { found: explained(error, raw, scenarioSchema).map(place) }
  const found = checkScenario(parsed, yaml.file, known).map(place)
  const family = familyOf(parsed.id)
  if (found.length > 0 || family === undefined) return { found }
  return { scenario: resolveScenario(parsed, raw as object, family, yaml.file), found }
}

function readMatrix(yaml: YamlFile, known: KnownNames): Read[] {
  const wrong = findings(matrixSchema, yaml.value)
  if (wrong.length > 0) return [{ found: wrong }]
  const { common, scenarios } = yaml.value as z.input<typeof matrixSchema>
  const twice = scenarios.flatMap(({ id }, index) => {
    const first = scenarios.findIndex((other) => other.id === id)
    const message = `the id "${id}" is taken by scenarios.${first}`
    return first === index ? [] : [{ path: ['scenarios', index, 'id'], message }]
  })
  if (twice.length > 0) return [{ found: twice }]
  return scenarios.map((entry, index) =>
    readOne(yaml, { ...common, ...entry }, known, (finding) => {
      const key = finding.path[0]
      const isCommon = key !== undefined && !Object.hasOwn(entry, key) && Object.hasOwn(common, key)
      const above = isCommon ? ['common'] : ['scenarios', index]
      return { ...finding, path: [...above, ...finding.path] }
    }),
  )
}

/** The families that have a scenario, with their titles, in the catalogue's order. */
export function familiesOf(scenarios: readonly Scenario[]): readonly { id: Scenario['family']; title: string }[] {
  return FAMILIES.filter((family) => scenarios.some((scenario) => scenario.family === family)).map((id) => ({
    id,
    title: FAMILY_TEXT[id].title,
  }))
}
