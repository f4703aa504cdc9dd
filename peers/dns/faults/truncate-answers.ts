/**
 * Says over UDP that the answer is too long, whatever its length. What TCP then does is another fault's
 * (`close-connection`, `drop-queries` with `transport: tcp`), or sound.
 */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { responseTo } from '../message.ts'

export const fault = defineFault({
  id: 'truncate-answers',
  title: 'Truncates every UDP answer',
  source: ['RFC 7766 §5', 'RFC 1035 §4.1.1'],
  parameters: z.strictObject({}),
  respond({ query, transport, answer }) {
    if (transport === 'tcp') return undefined
    const { rcode, aa } = answer()
    return { send: { ...responseTo(query, rcode), aa, tc: true }, detail: 'set TC and left the answer away' }
  },
})
