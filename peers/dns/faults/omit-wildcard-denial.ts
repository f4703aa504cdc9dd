/** P3: proves wildcard NODATA without the record that says what the wildcard has. */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { childOf } from '../name.ts'
import { owedDenial, withProof } from '../tamper.ts'

export const fault = defineFault({
  id: 'omit-wildcard-denial',
  title: "Proves wildcard NODATA without the wildcard's own record",
  source: ['PowerDNS before 3.2', 'RFC 5155 §7.2.5', 'RFC 4035 §3.1.3.4'],
  parameters: z.strictObject({}),
  respond(exchange) {
    const owed = owedDenial(exchange)
    if (owed?.as !== 'no-data-at-wildcard') return undefined
    const wildcard = owed.denial.match(childOf(owed.encloser, '*'))
    const kept = owed.denial
      .all()
      .filter((set) => set !== wildcard && set.every((each) => owed.sound.authorities.includes(each)))
    const send = withProof(exchange, owed.sound, kept)
    return send && { send, detail: "left out the wildcard's own record" }
  },
})
