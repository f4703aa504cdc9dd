/** Reads a list of known deviations: YAML, checked, with the place of each mistake. */
import { type KnownDeviation, readKnownDeviations } from '../scenarios/known.ts'
import { problemText } from '../scenarios/problem.ts'
import { UserError } from './user-error.ts'

/** @throws {UserError} with every problem and its place. */
export function readKnown(file: string, text: string): readonly KnownDeviation[] {
  const { deviations, problems } = readKnownDeviations(file, text)
  if (problems.length > 0)
    throw new UserError(problems.map(problemText).join('\n'), 'mend the list of known deviations')
  return deviations
}
