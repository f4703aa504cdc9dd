/**
 * P2: proves wildcard NODATA by NSEC3 with a guessed closest encloser: the apex (up to 3.1), or the name without its
 * first label (3.2 to 3.3), which is right one label below the wildcard and wrong for the two labels of a TLSA name.
 */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { childOf, parentOf } from '../name.ts'
import { owedDenial, withProof } from '../tamper.ts'

export const fault = defineFault({
  id: 'guess-wildcard-encloser',
  title: 'Proves wildcard NODATA with a guessed closest encloser',
  source: ['PowerDNS up to 3.3 (fixed in 3.3.1)', 'isphuset.no, internot.no', 'RFC 5155 §7.2.5'],
  parameters: z.strictObject({
    encloser: z
      .enum(['apex', 'parent'])
      .default('parent')
      .describe('The apex, as up to 3.1, or the parent of the name, as in 3.2 and 3.3.'),
  }),
  respond(exchange, { encloser }) {
    const owed = owedDenial(exchange)
    if (owed?.as !== 'no-data-at-wildcard' || owed.denial.kind !== 'nsec3') return undefined
    const { question, zone } = exchange
    const { denial, sound } = owed
    const guess = encloser === 'apex' ? zone.apex : parentOf(question.name)
    const wildcard = denial.match(childOf(owed.encloser, '*'))
    const send = withProof(exchange, sound, [denial.match(guess), denial.cover(question.name), wildcard])
    return send && { send, detail: `NSEC3 with ${guess} for the closest encloser` }
  },
})
