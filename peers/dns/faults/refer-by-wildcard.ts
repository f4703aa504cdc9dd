/** N8: a wildcard NS below the apex: what does not exist is referred to a name server that knows nothing of it. */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { responseTo } from '../message.ts'
import { childOf, parseName } from '../name.ts'
import { CLASS, RCODE, TYPE } from '../numbers.ts'
import { rdata } from '../rdata.ts'

export const fault = defineFault({
  id: 'refer-by-wildcard',
  title: 'Refers what does not exist to a lame server',
  source: ['dnsop msg17345', 'RFC 4592 §4.2'],
  parameters: z.strictObject({
    server: z.string().default('lame.test').describe('The name of the server; nobody need answer there.'),
  }),
  respond({ query, question, zone }, { server }) {
    const found = zone.find(question.name, question.type)
    if (found.kind !== 'absent') return undefined
    const labels = question.name.slice(0, question.name.length - found.encloser.length - 1).split('.')
    const name = childOf(found.encloser, labels.at(-1) ?? '*')
    const data = rdata('NS', { host: parseName(server) })
    const authorities = [{ name, type: TYPE.NS, class: CLASS.IN, ttl: zone.zone.ttl, data }]
    return { send: { ...responseTo(query, RCODE.NOERROR), authorities }, detail: `referred ${name} to ${server}` }
  },
})
