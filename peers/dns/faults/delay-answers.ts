/** Answers soundly, but late: `delayMs` of the fault's place says how late. */
import { z } from 'zod'
import { defineFault } from '../fault.ts'

export const fault = defineFault({
  id: 'delay-answers',
  title: 'Answers late',
  source: ['RFC 5321 §4.5.3.2', 'RFC 8906 §3'],
  parameters: z.strictObject({}),
  respond: ({ answer }) => ({ send: answer(), detail: 'answered late' }),
})
