/**
 * P1: proves NXDOMAIN with the apex as the closest encloser and the whole name as the next closer one, whatever lies
 * between.
 */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { childOf } from '../name.ts'
import { owedDenial, withProof } from '../tamper.ts'

export const fault = defineFault({
  id: 'prove-from-apex',
  title: 'Proves NXDOMAIN as if the apex were the closest encloser',
  source: ['PowerDNS 3.0 and 3.1 (rewritten in 3.2)', 'RFC 5155 §7.2.2'],
  parameters: z.strictObject({}),
  respond(exchange) {
    const owed = owedDenial(exchange)
    if (owed?.as !== 'no-name' || owed.denial.kind !== 'nsec3') return undefined
    const { question, zone } = exchange
    const { denial, sound } = owed
    const proof = [denial.match(zone.apex), denial.cover(question.name), denial.cover(childOf(zone.apex, '*'))]
    const send = withProof(exchange, sound, proof)
    return send && { send, detail: 'NSEC3 of the apex, over the whole name, and over the wildcard at the apex' }
  },
})
