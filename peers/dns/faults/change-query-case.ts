/** Answers with the question in lower case: resolvers that draw the case at random (0x20) take that for a forgery. */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { canonical } from '../name.ts'

export const fault = defineFault({
  id: 'change-query-case',
  title: "Answers with the question's case changed",
  source: ['DVE-2017-0003', 'RFC 4343 §4.1'],
  parameters: z.strictObject({}),
  respond({ query, question, answer }) {
    const name = canonical(question.name)
    if (name === question.name) return undefined
    return { send: answer({ ...query, questions: [{ ...question, name }] }), detail: `answered for ${name}` }
  },
})
