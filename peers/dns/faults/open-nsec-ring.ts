/** N4: the last NSEC of the zone leads to the second name and not back to the apex; signed so. */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { canonical } from '../name.ts'
import { fieldsOf, rdata } from '../rdata.ts'
import { owedDenial, withChangedDenials } from '../tamper.ts'

export const fault = defineFault({
  id: 'open-nsec-ring',
  title: 'Lets the last NSEC skip the apex',
  source: ['danefail/list', 'RFC 4034 §4.1.1'],
  parameters: z.strictObject({}),
  respond(exchange) {
    const owed = owedDenial(exchange)
    if (owed?.denial.kind !== 'nsec') return undefined
    const all = owed.denial.all()
    const [last, second] = [all.at(-1)?.[0], all[1]?.[0]]
    if (last === undefined || second === undefined) return undefined
    const next = canonical(second.name)
    const send = withChangedDenials(exchange, owed.sound, (record) =>
      record === last ? { ...last, data: rdata('NSEC', { ...fieldsOf('NSEC', last.data), next }) } : record,
    )
    return send && { send, detail: `the last NSEC leads to ${next}` }
  },
})
