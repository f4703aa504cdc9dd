/** Lame: knows nothing of the zone, and refers to the root, as old servers do. */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { responseTo } from '../message.ts'
import { ROOT } from '../name.ts'
import { CLASS, RCODE, TYPE } from '../numbers.ts'
import { rdata } from '../rdata.ts'

export const fault = defineFault({
  id: 'refer-upwards',
  title: 'Is lame: refers to the root',
  source: ['RFC 4697 §2.8', 'RFC 8499 §7 "lame delegation"'],
  parameters: z.strictObject({}),
  respond({ query, zone }) {
    const data = rdata('NS', { host: zone.servers[0]?.name ?? ROOT })
    const authorities = [{ name: ROOT, type: TYPE.NS, class: CLASS.IN, ttl: zone.zone.ttl, data }]
    return { send: { ...responseTo(query, RCODE.NOERROR), authorities }, detail: 'referred to the root' }
  },
})
