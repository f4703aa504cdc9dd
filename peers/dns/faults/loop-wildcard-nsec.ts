/** N3: the NSEC of a wildcard has the wildcard itself for its next name; signed so. */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { childOf } from '../name.ts'
import { fieldsOf, rdata } from '../rdata.ts'
import { owedDenial, withProof } from '../tamper.ts'

export const fault = defineFault({
  id: 'loop-wildcard-nsec',
  title: "Makes a wildcard's NSEC point at itself",
  source: ['DVE-2017-0010 (infracom.nl)', 'RFC 4034 §4.1.1'],
  parameters: z.strictObject({}),
  respond(exchange) {
    const owed = owedDenial(exchange)
    if (owed?.denial.kind !== 'nsec' || (owed.as !== 'no-data-at-wildcard' && owed.as !== 'expansion')) return undefined
    const own = childOf(owed.encloser, '*')
    const record = owed.denial.match(own)?.[0]
    if (record === undefined) return undefined
    const looped = { ...record, data: rdata('NSEC', { ...fieldsOf('NSEC', record.data), next: own }) }
    const send = withProof(exchange, owed.sound, [[looped], owed.denial.match(exchange.zone.apex)])
    return send && { send, detail: `${own} for the next name of ${own}` }
  },
})
