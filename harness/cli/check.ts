/** `badmx check`: what is wrong with scenario files, as a compiler would say it. */
import { readFile } from 'node:fs/promises'
import type { KnownNames } from '../../scenarios/check.ts'
import { type Loaded, loadCatalogue, loadScenarioFile, merge } from '../../scenarios/load.ts'
import { problemText, sortProblems } from '../../scenarios/problem.ts'
import { checkWaiting, loadWaiting } from '../../scenarios/waiting.ts'

export interface Checked {
  /** One line per problem, `file:line:column: message`, and one that sums up; each with its line end. */
  readonly text: string
  readonly ok: boolean
}

/** Checks the files, or the catalogue and its waiting lists where none is given. */
export async function check(files: readonly string[], known: KnownNames): Promise<Checked> {
  const { scenarios, problems } = files.length === 0 ? await checkAll(known) : await checkFiles(files, known)
  const ok = problems.length === 0
  const sum = ok ? `${count(scenarios.length, 'scenario')}, no problem` : count(problems.length, 'problem')
  return { text: [...problems.map(problemText), sum].map((line) => `${line}\n`).join(''), ok }
}

async function checkAll(known: KnownNames): Promise<Loaded> {
  const [catalogue, list] = await Promise.all([loadCatalogue(known), loadWaiting()])
  const problems = [...catalogue.problems, ...list.problems, ...checkWaiting(catalogue, list)]
  return { scenarios: catalogue.scenarios, problems: sortProblems(problems) }
}

async function checkFiles(files: readonly string[], known: KnownNames): Promise<Loaded> {
  return merge(await Promise.all([...new Set(files)].map((file) => loadFile(file, known))))
}

/** Reads a scenario file of the user's; one that cannot be read is a problem like any other. */
async function loadFile(file: string, known: KnownNames): Promise<Loaded> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const message = code === 'ENOENT' ? 'there is no such file' : `cannot be read: ${code ?? String(error)}`
    return { scenarios: [], problems: [{ file, line: 1, column: 1, path: '', message }] }
  }
  return loadScenarioFile(file, text, known)
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
