/** Answers as if the DO bit were not set: a box takes it away on the way in, or a server does not know it. */
import { z } from 'zod'
import { defineFault } from '../fault.ts'

export const fault = defineFault({
  id: 'ignore-do',
  title: 'Answers as if DO were not set',
  source: ['RFC 3225 §3', 'RFC 8906 §3.2.4'],
  parameters: z.strictObject({}),
  respond({ query, answer }) {
    if (query.edns?.do !== true) return undefined
    const send = answer({ ...query, edns: { ...query.edns, do: false } })
    return { send, detail: 'the query lost its DO bit' }
  },
})
