/**
 * Answers for MX with another exchange, as somebody does who sits between resolver and name server, or poisons a cache. He has
 * no key of the zone: where it is signed, the answer is bogus.
 */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { responseTo } from '../message.ts'
import { parseName } from '../name.ts'
import { RCODE, TYPE } from '../numbers.ts'
import { rdata } from '../rdata.ts'

export const fault = defineFault({
  id: 'redirect-mx',
  title: 'Answers with the exchange of somebody else',
  source: ['RFC 3833 §2.1', 'RFC 7672 §1.3.2'],
  parameters: z.strictObject({
    exchange: z.string().default('mx.attacker.test').describe('The name in the MX record that leaves.'),
  }),
  respond({ query, answer }, { exchange }) {
    const records = answer().answers.filter(({ type }) => type === TYPE.MX)
    const [first] = records
    if (first === undefined) return undefined
    const data = rdata('MX', { preference: 10, exchange: parseName(exchange) })
    const send = { ...responseTo(query, RCODE.NOERROR), aa: true, answers: [{ ...first, data }] }
    return { send, detail: `answered with the exchange ${exchange}` }
  },
})
