/** N11: an alias that leads to nothing is answered with SERVFAIL. */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { responseTo } from '../message.ts'
import { RCODE, TYPE } from '../numbers.ts'

export const fault = defineFault({
  id: 'fail-on-dangling-alias',
  title: 'Answers SERVFAIL for an alias that leads to nothing',
  source: ['PowerDNS #4304', 'RFC 6604 §2'],
  parameters: z.strictObject({}),
  respond({ query, question, answer }) {
    const { answers, rcode } = answer()
    const isAlias = answers.some(({ type }) => type === TYPE.CNAME)
    const leadsNowhere = rcode === RCODE.NXDOMAIN || !answers.some(({ type }) => type === question.type)
    if (!isAlias || !leadsNowhere) return undefined
    return { send: responseTo(query, RCODE.SERVFAIL), detail: 'SERVFAIL for an alias that leads to nothing' }
  },
})
