/**
 * N9: the bitmap of a denial says other types than there are, signed so. The answer at hand holds; a resolver that
 * makes answers of denials (RFC 8198) then denies the types that were left out.
 */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { typeNumber } from '../numbers.ts'
import { owedDenial, withChangedDenials, withTypes } from '../tamper.ts'

export const fault = defineFault({
  id: 'falsify-bitmap',
  title: 'Denies with a wrong list of types',
  source: ['DVE-2018-0003', 'DVE-2021-0001 (postbank.de)', 'RFC 5155 §3.1.8'],
  parameters: z.strictObject({
    types: z
      .array(z.string().refine((text) => typeNumber(text) !== undefined, 'no record type'))
      .default(['TXT'])
      .describe('The types that the bitmap has.'),
  }),
  respond(exchange, { types }) {
    const owed = owedDenial(exchange)
    const own = owed?.denial.match(owed.encloser)?.[0]
    if (owed === undefined || own === undefined) return undefined
    const numbers = types.map((text) => typeNumber(text) ?? 0)
    const send = withChangedDenials(exchange, owed.sound, (record) =>
      record === own ? withTypes(own, numbers) : record,
    )
    return send && { send, detail: `said that ${owed.encloser} has ${types.join(', ') || 'nothing'}` }
  },
})
