/** Answers FORMERR, without EDNS, to queries with it, as servers do from before RFC 2671. */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { responseTo } from '../message.ts'
import { RCODE } from '../numbers.ts'

export const fault = defineFault({
  id: 'refuse-edns',
  title: 'Answers FORMERR to queries with EDNS',
  source: ['RFC 6891 §7', 'RFC 8906 §3.2'],
  parameters: z.strictObject({}),
  respond({ query }) {
    if (query.edns === undefined) return undefined
    const { edns: _, ...plain } = query
    return { send: responseTo(plain, RCODE.FORMERR), detail: 'FORMERR to EDNS' }
  },
})
