/**
 * Which connections a behaviour acts on: the parameter `visits`, shared by the behaviours that strip now and then
 * (flapping peers, farms, peers that change for good). A connection that is not chosen passes unchanged and unmarked.
 */
import { z } from 'zod'
import type { BehaviourContext } from '../behaviour.ts'

export const visitsParameter = z
  .string()
  .regex(/^(all|odd|even|half|[1-9]\d*(-([1-9]\d*)?)?)$/)
  .default('all')
  .describe(
    'Connections at this peer that it acts on, counted from 1: `all`, `odd`, `even`, `half` (of each two in turn ' +
      'one, drawn), `2`, `2-3`, `4-`.',
  )

/** Whether the connection of `context` is one of `visits`; a text that {@link visitsParameter} has let pass. */
export function isVisited(visits: string, context: BehaviourContext): boolean {
  const { visit } = context
  switch (visits) {
    case 'all':
      return true
    case 'odd':
      return visit % 2 === 1
    case 'even':
      return visit % 2 === 0
    case 'half':
      return isDrawn(context)
    default: {
      const [first = '', last = first] = visits.split('-')
      return visit >= Number(first) && (last === '' || visit <= Number(last))
    }
  }
}

/** One of visits 1 and 2, one of 3 and 4, …: whatever the seed, two connections meet both kinds of node. */
function isDrawn({ visit, random, memory }: BehaviourContext): boolean {
  const pair = Math.ceil(visit / 2)
  const key = `visit drawn of pair ${pair}`
  const known = memory.get(key)
  const drawn = typeof known === 'number' ? known : 2 * pair - (random() < 0.5 ? 1 : 0)
  memory.set(key, drawn)
  return visit === drawn
}
