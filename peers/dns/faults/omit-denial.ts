/**
 * N1, N7: denies without NSEC or NSEC3, with a signed SOA alone. For every denial, at one of two name servers, it is a
 * secondary that does not know NSEC3 and has such a zone.
 */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { owedDenial, withProof } from '../tamper.ts'

export const fault = defineFault({
  id: 'omit-denial',
  title: 'Denies without a proof, but signed',
  source: ['danefail/list', 'dnsop msg09852 (an NSEC-only secondary for an NSEC3 zone)', 'RFC 4035 §3.1.3'],
  parameters: z.strictObject({
    of: z.enum(['no-data', 'no-name', 'every']).default('no-data').describe('Which denials have no proof.'),
  }),
  respond(exchange, { of }) {
    const owed = owedDenial(exchange)
    if (owed === undefined) return undefined
    const kind = owed.as === 'no-data-at-wildcard' ? 'no-data' : owed.as
    if (of !== 'every' && of !== kind) return undefined
    const send = withProof(exchange, owed.sound, [])
    return send && { send, detail: 'left out the proof' }
  },
})
