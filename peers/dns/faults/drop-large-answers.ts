/**
 * Lets only short UDP answers through, as firewalls do that know nothing of EDNS; what is longer is dropped, not
 * truncated.
 */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { encodeMessage } from '../message.ts'

export const fault = defineFault({
  id: 'drop-large-answers',
  title: 'Drops UDP answers over a length',
  source: ['RFC 6891 §6.2.4', 'RFC 8906 §3.2', 'Cisco PIX "fixup protocol dns"'],
  parameters: z.strictObject({
    octets: z.int().min(12).max(65_535).default(512).describe('The longest that passes, in octets.'),
  }),
  respond({ transport, answer }, { octets }) {
    if (transport === 'tcp') return undefined
    const { length } = encodeMessage(answer())
    return length <= octets ? undefined : { send: 'nothing', detail: `dropped an answer of ${length} octets` }
  },
})
