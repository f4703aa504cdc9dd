/** Drops queries with EDNS, as firewalls do that take the OPT record for an attack. */
import { z } from 'zod'
import { defineFault } from '../fault.ts'

export const fault = defineFault({
  id: 'drop-edns-queries',
  title: 'Drops queries with EDNS',
  source: ['RFC 8906 §3.2', 'RFC 6891 §7', 'DNS flag day 2019'],
  parameters: z.strictObject({}),
  respond: ({ query }) =>
    query.edns === undefined ? undefined : { send: 'nothing', detail: 'dropped a query with EDNS' },
})
