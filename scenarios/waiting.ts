/**
 * The waiting lists, `scenarios/waiting/*.yaml`: scenarios of the catalogue that cannot be run yet, and why. They are
 * never offered, planned or counted; asking for one by its id gives its reason.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { packageRoot } from '../peers/package-root.ts'
import { familyOf } from './families.ts'
import type { Loaded } from './load.ts'
import { type Problem, sortProblems } from './problem.ts'
import { casesSchema, scenarioSchema } from './schema.ts'
import { findings, readYaml } from './yaml-file.ts'

export const waitingSchema = z
  .array(
    z.strictObject({
      id: scenarioSchema.shape.id,
      reason: z.string().min(1).describe('What keeps it from being run, for a person.'),
      needs: z
        .string()
        .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
        .describe('The part of badmx that has to come first, in a word: `dns`, `tls-engine`.'),
      case: casesSchema.optional(),
    }),
  )
  .min(1)

export interface Waiting {
  readonly id: string
  readonly reason: string
  readonly needs: string
  /** Of the DANE sender, those that it would cover. */
  readonly cases: readonly number[]
  readonly file: string
}

export interface WaitingList {
  /** By id. */
  readonly waiting: readonly Waiting[]
  readonly problems: readonly Problem[]
}

/**
 * Reads all waiting lists.
 *
 * @param root the folder that has `scenarios/waiting`.
 */
export async function loadWaiting(root: string = packageRoot()): Promise<WaitingList> {
  const folder = join('scenarios', 'waiting')
  const lists: WaitingList[] = []
  for (const name of (await readdir(join(root, folder))).sort()) {
    const file = join(folder, name)
    if (name.endsWith('.yaml')) lists.push(readWaiting(file, await readFile(join(root, file), 'utf8')))
    else lists.push({ waiting: [], problems: [stray(file)] })
  }
  const problems = lists.flatMap((list) => list.problems)
  const byId = new Map<string, Waiting>()
  for (const entry of lists.flatMap((list) => list.waiting)) {
    const first = byId.get(entry.id)
    if (first === undefined) byId.set(entry.id, entry)
    else problems.push(clash(entry, `"${entry.id}" waits in ${first.file} already`))
  }
  const waiting = [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  return { waiting, problems: sortProblems(problems) }
}

/** Reads the text of one list. Pure. */
export function readWaiting(file: string, text: string): WaitingList {
  const yaml = readYaml(file, text)
  if (yaml.problems.length > 0) return { waiting: [], problems: yaml.problems }
  const wrong = findings(waitingSchema, yaml.value)
  if (wrong.length > 0) return { waiting: [], problems: wrong.map((finding) => yaml.locate(finding)) }
  const entries = waitingSchema.parse(yaml.value)
  const problems = entries.flatMap(({ id }, index) => {
    const path = [index, 'id']
    const found: Problem[] = []
    if (familyOf(id) === undefined) found.push(yaml.locate({ path, message: `"${id}" is of no family` }))
    if (entries.findIndex((other) => other.id === id) < index)
      found.push(yaml.locate({ path, message: `"${id}" waits above already` }))
    return found
  })
  if (problems.length > 0) return { waiting: [], problems }
  return {
    waiting: entries.map(({ case: cases = [], ...entry }) => ({ ...entry, cases: [cases].flat(), file })),
    problems,
  }
}

/** A scenario that can be run does not wait. */
export function checkWaiting({ scenarios }: Loaded, { waiting }: WaitingList): readonly Problem[] {
  return waiting.flatMap((entry) => {
    const scenario = scenarios.find(({ id }) => id === entry.id)
    return scenario === undefined ? [] : [clash(entry, `"${entry.id}" can be run: ${scenario.file}`)]
  })
}

function clash(entry: Waiting, message: string): Problem {
  return { file: entry.file, line: 1, column: 1, path: '', message }
}

function stray(file: string): Problem {
  return { file, line: 1, column: 1, path: '', message: 'not read: the name of a waiting list ends in .yaml' }
}
