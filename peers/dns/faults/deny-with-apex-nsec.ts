/**
 * P4: proves NXDOMAIN by NSEC with the apex's record instead of the one over the wildcard that could have stood for the
 * name.
 */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { owedDenial, withProof } from '../tamper.ts'

export const fault = defineFault({
  id: 'deny-with-apex-nsec',
  title: "Always adds the apex's NSEC to NXDOMAIN",
  source: ['PowerDNS before 3.3.1 and 3.4.0', 'RFC 4035 §3.1.3.2'],
  parameters: z.strictObject({}),
  respond(exchange) {
    const owed = owedDenial(exchange)
    if (owed?.as !== 'no-name' || owed.denial.kind !== 'nsec') return undefined
    const { question, zone } = exchange
    const send = withProof(exchange, owed.sound, [owed.denial.cover(question.name), owed.denial.match(zone.apex)])
    return send && { send, detail: "the apex's NSEC for the one over the wildcard" }
  },
})
