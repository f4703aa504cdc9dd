/** The catalogue with everything that it names: behaviours, certificate faults, predicates, flaws. */
import { loadClientChains, loadFaults } from '../peers/certificates/faults.ts'
import { loadDnsFaults } from '../peers/dns/faults.ts'
import { loadBehaviours } from '../peers/registry.ts'
import type { KnownNames } from '../scenarios/check.ts'
import { checkExpectation } from '../scenarios/judge/expectation.ts'
import { PREDICATES } from '../scenarios/judge/predicates.ts'
import { type Loaded, loadCatalogue, loadScenarioFile, merge } from '../scenarios/load.ts'
import { problemText } from '../scenarios/problem.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import { FLAWS } from './clients/reference.ts'
import { readText } from './read-text.ts'
import { UserError } from './user-error.ts'

/** What scenario files may name. */
export async function knownNames(): Promise<KnownNames> {
  const [behaviours, certificates, dnsFaults, clientChains] = await Promise.all([
    loadBehaviours(),
    loadFaults(),
    loadDnsFaults(),
    loadClientChains(),
  ])
  return {
    behaviours,
    certificates: [...certificates.keys()],
    dnsFaults,
    clientCertificates: [...clientChains.keys()],
    asserts: Object.keys(PREDICATES),
    flaws: Object.keys(FLAWS),
    checkExpectation,
  }
}

/** The shipped scenarios and the user's own files. @throws {UserError} with every problem and its place. */
export async function allScenarios(files: readonly string[] = []): Promise<readonly Scenario[]> {
  const known = await knownNames()
  const parts: Loaded[] = [await loadCatalogue(known)]
  for (const file of files) parts.push(loadScenarioFile(file, await readText(file), known))
  const { scenarios, problems } = merge(parts)
  if (problems.length > 0)
    throw new UserError(problems.map(problemText).join('\n'), 'mend the file; `badmx check FILE` checks it alone')
  return scenarios
}
