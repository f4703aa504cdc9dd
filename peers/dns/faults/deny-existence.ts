/**
 * Denies what exists, without a proof: NXDOMAIN or an empty answer, with the zone's SOA or without.
 *
 * Load balancers that know only A do so for every other type (RFC 4074 §4.2: AAAA; RFC 8906).
 */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { responseTo } from '../message.ts'
import { RCODE } from '../numbers.ts'

export const fault = defineFault({
  id: 'deny-existence',
  title: 'Denies what exists, without a proof',
  source: ['RFC 4074 §4.2', 'RFC 8906 §3.1.2', 'RFC 2308 §2'],
  parameters: z.strictObject({
    as: z.enum(['NXDOMAIN', 'NODATA']).default('NXDOMAIN').describe('No such name, or no data of this type.'),
    soa: z.boolean().default(true).describe('Whether the SOA of the zone is in the authority section.'),
  }),
  respond({ query, zone }, { as, soa }) {
    const rcode = as === 'NXDOMAIN' ? RCODE.NXDOMAIN : RCODE.NOERROR
    const authorities = soa ? zone.soa : []
    return { send: { ...responseTo(query, rcode), aa: true, authorities }, detail: `answered ${as} without a proof` }
  },
})
