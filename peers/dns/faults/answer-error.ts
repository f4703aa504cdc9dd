/**
 * Answers with an error code and nothing else, as servers do that know no TLSA or break on it.
 */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { responseTo } from '../message.ts'
import { RCODE } from '../numbers.ts'

export const fault = defineFault({
  id: 'answer-error',
  title: 'Answers with an error code',
  source: ['RFC 7672 §2.1.2', 'RFC 8906 §3.1.3', 'PowerDNS #4304'],
  parameters: z.strictObject({
    rcode: z
      .enum(['SERVFAIL', 'REFUSED', 'NOTIMP', 'FORMERR'])
      .default('SERVFAIL')
      .describe('The response code, RFC 1035 §4.1.1.'),
  }),
  respond: ({ query }, { rcode }) => ({ send: responseTo(query, RCODE[rcode]), detail: `answered ${rcode}` }),
})
