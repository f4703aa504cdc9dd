/** Reads a list of known deviations: YAML, checked, with the place of each mistake. */
import { join } from 'node:path'
import { packageRoot } from '../peers/package-root.ts'
import { type KnownDeviation, readKnownDeviations } from '../scenarios/known.ts'
import { problemText } from '../scenarios/problem.ts'
import { readText } from './read-text.ts'
import { UserError } from './user-error.ts'

/** The word that means the list which comes with badmx. */
const SHIPPED = 'shipped'

/** The deviations of a list, or of `shipped`. @throws {UserError} when it cannot be read, or with every problem and its place. */
export async function knownDeviations(name: string | undefined): Promise<readonly KnownDeviation[]> {
  if (name === undefined) return []
  const file = name === SHIPPED ? join(packageRoot(), 'harness', 'known.yaml') : name
  return readKnown(file, await readText(file))
}

/** @throws {UserError} with every problem and its place. */
function readKnown(file: string, text: string): readonly KnownDeviation[] {
  const { deviations, problems } = readKnownDeviations(file, text)
  if (problems.length > 0)
    throw new UserError(problems.map(problemText).join('\n'), 'mend the list of known deviations')
  return deviations
}
