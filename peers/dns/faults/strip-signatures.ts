/** Strips DNSSEC records from answers, as old name servers and boxes do that do not know them. */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { TYPE } from '../numbers.ts'
import { isProof, mapRecords } from '../tamper.ts'

export const fault = defineFault({
  id: 'strip-signatures',
  title: 'Strips signatures from answers',
  source: ['RFC 4035 §3.1', 'RFC 8906 §3.2.4'],
  parameters: z.strictObject({
    proofs: z.boolean().default(false).describe('Whether NSEC and NSEC3 go too.'),
  }),
  respond({ answer }, { proofs }) {
    const sound = answer()
    const send = mapRecords(sound, (record) =>
      record.type === TYPE.RRSIG || (proofs && isProof(record)) ? undefined : record,
    )
    const count = (message: typeof sound): number => message.answers.length + message.authorities.length
    const gone = count(sound) - count(send)
    return gone === 0 ? undefined : { send, detail: `stripped ${gone} records` }
  },
})
