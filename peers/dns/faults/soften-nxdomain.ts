/** N2: NOERROR with a proof that the name does not exist. */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { RCODE } from '../numbers.ts'
import { owedDenial } from '../tamper.ts'

export const fault = defineFault({
  id: 'soften-nxdomain',
  title: 'Answers NOERROR with the proof of NXDOMAIN',
  source: ['DVE-2017-0009 (axc.nl)', 'RFC 4035 §3.1.3.2'],
  parameters: z.strictObject({}),
  respond(exchange) {
    const owed = owedDenial(exchange)
    if (owed?.as !== 'no-name') return undefined
    return { send: { ...owed.sound, rcode: RCODE.NOERROR }, detail: 'NOERROR in place of NXDOMAIN' }
  },
})
