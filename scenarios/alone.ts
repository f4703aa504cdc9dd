/**
 * The second try of a cell that was spoilt: the same scenario, client and policy, with nothing that the first had. Pure.
 *
 * What always holds: domain, host names and canaries are not those of the first try, so that nothing that is still done with
 * a message of that one can be taken for, or reach, this one. Its zones are no part of those of the first.
 */
import { canariesOf, type PlannedCell } from './plan.ts'

/** The label of the domain of a first try, `s` and nine digits; `again2.` is before it on repetitions. */
const LABEL = /^((?:again\d+\.)?)s(?=[0-9a-f]{9}\.)/

/** @param seed of the run */
export function aloneOf(cell: PlannedCell, seed: number): PlannedCell {
  const domain = cell.domain.replace(LABEL, '$1a')
  if (domain === cell.domain) throw new Error(`${cell.domain} is not the domain of a first try`)
  const own = (name: string): string => name.replaceAll(cell.domain, domain)
  const { withoutDane } = cell
  return {
    ...cell,
    alone: true,
    domain,
    recipientDomain: own(cell.recipientDomain),
    hostNames: Object.fromEntries(Object.entries(cell.hostNames).map(([id, name]) => [id, own(name)])),
    canaries: canariesOf(seed, `${cell.id} alone`, cell.scenario.job.password),
    ...(withoutDane === undefined ? {} : { withoutDane: own(withoutDane) }),
  }
}
