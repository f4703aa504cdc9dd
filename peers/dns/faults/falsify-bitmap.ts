/**
 * N9: the bitmap of a denial says other types than there are, signed so. The answer at hand holds; a resolver that makes answers of denials
 * (RFC 8198) then denies the types that were left out.
 */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { TYPE, typeNumber } from '../numbers.ts'
import { fieldsOf, rdata } from '../rdata.ts'
import { owedDenial, withProof } from '../tamper.ts'

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
    if (owed === undefined || own === undefined || !owed.sound.authorities.includes(own)) return undefined
    const numbers = types.map((text) => typeNumber(text) ?? 0)
    const data =
      own.type === TYPE.NSEC
        ? rdata('NSEC', { ...fieldsOf('NSEC', own.data), types: numbers })
        : rdata('NSEC3', { ...fieldsOf('NSEC3', own.data), types: numbers })
    const kept = owed.denial
      .all()
      .filter((set) => set[0] !== own && set.every((each) => owed.sound.authorities.includes(each)))
    const send = withProof(exchange, owed.sound, [[{ ...own, data }], ...kept])
    return send && { send, detail: `said that ${owed.encloser} has ${types.join(', ') || 'nothing'}` }
  },
})
