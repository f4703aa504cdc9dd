/**
 * Drops queries: no answer of any kind, as a firewall does that does not know their type.
 *
 * mail.mil, 2014 to 2016: TLSA queries time out while A for the same name is answered (dane-users, danefail/list).
 */
import { z } from 'zod'
import { defineFault } from '../fault.ts'

export const fault = defineFault({
  id: 'drop-queries',
  title: 'Drops queries',
  source: ['RFC 7672 §2.1.2', 'RFC 8906 §3', 'mail.mil (danefail/list)'],
  parameters: z.strictObject({}),
  respond: () => ({ send: 'nothing', detail: 'dropped the query' }),
})
