/**
 * P7: a zone whose order of names was never computed ("rectified"): by NSEC every denial is one record from the apex to
 * the apex; by NSEC3 it is a malformed record at the apex with a hash of no octets. Empty non-terminals are NXDOMAIN.
 */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { CLASS, RCODE, TYPE } from '../numbers.ts'
import { fieldsOf, rdata } from '../rdata.ts'
import { owedDenial, withProof } from '../tamper.ts'

export const fault = defineFault({
  id: 'serve-unrectified',
  title: 'Denies from a zone that was never put in order',
  source: ['PowerDNS #8689 (4.7.3, reproduced)', 'RFC 4034 §4.1.1', 'RFC 5155 §3.1.7'],
  parameters: z.strictObject({}),
  respond(exchange) {
    const { zone, question } = exchange
    const owed = owedDenial(exchange)
    if (owed === undefined) return undefined
    const node = zone.node(question.name)
    const isEmpty = owed.as === 'no-data' && node !== undefined && zone.typesAt(node).length === 0
    const apex = owed.denial.match(zone.apex)?.[0]
    if (apex === undefined) return undefined
    const name = zone.zone.origin
    const data =
      owed.denial.kind === 'nsec'
        ? rdata('NSEC', { ...fieldsOf('NSEC', apex.data), next: zone.apex })
        : rdata('NSEC3', { ...fieldsOf('NSEC3', apex.data), next: Buffer.alloc(0) })
    const record = {
      name,
      type: owed.denial.kind === 'nsec' ? TYPE.NSEC : TYPE.NSEC3,
      class: CLASS.IN,
      ttl: apex.ttl,
      data,
    }
    const sound = { ...owed.sound, rcode: isEmpty ? RCODE.NXDOMAIN : owed.sound.rcode }
    const send = withProof(exchange, sound, [[record]])
    return send && { send, detail: 'one record from the apex to the apex denies everything' }
  },
})
