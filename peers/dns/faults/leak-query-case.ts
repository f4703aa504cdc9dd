/**
 * P6: takes the name of the zone as the query wrote it. In the next name of NSEC, which is signed as it stands, that
 * breaks the signature; in the look-up of what the apex has, it loses DNSKEY and NSEC3PARAM from the apex's bitmap,
 * which is then signed.
 */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import type { ResourceRecord } from '../message.ts'
import { canonical, countLabels, lastLabels } from '../name.ts'
import { TYPE } from '../numbers.ts'
import { fieldsOf, rdata } from '../rdata.ts'
import { mapRecords, withChangedDenials, withTypes } from '../tamper.ts'

export const fault = defineFault({
  id: 'leak-query-case',
  title: "Takes the query's case for the zone's name",
  source: ['PowerDNS before 3.3', 'RFC 4343 §3', 'RFC 6840 §5.1'],
  parameters: z.strictObject({
    into: z.enum(['next-name', 'apex-bitmap']).default('next-name').describe('Where the case leaks to.'),
  }),
  respond(exchange, { into }) {
    const { question, zone, answer } = exchange
    const written = lastLabels(question.name, countLabels(zone.apex))
    if (written === zone.apex || canonical(written) !== zone.apex) return undefined
    if (into === 'apex-bitmap') {
      const send = withChangedDenials(exchange, answer(), withoutApexTypes)
      return send && { send, detail: 'no DNSKEY and NSEC3PARAM in the bitmap of the apex' }
    }
    let hasLeaked = false
    const send = mapRecords(answer(), (record) => {
      if (record.type !== TYPE.NSEC) return record
      const { next, types } = fieldsOf('NSEC', record.data)
      hasLeaked = true
      return {
        ...record,
        data: rdata('NSEC', { next: next.slice(0, next.length - zone.apex.length) + written, types }),
      }
    })
    return hasLeaked ? { send, detail: `${written} in the next name` } : undefined
  },
})

const APEX_TYPES: readonly number[] = [TYPE.DNSKEY, TYPE.NSEC3PARAM]

/** The same record where its bitmap has none of them. */
function withoutApexTypes(record: ResourceRecord): ResourceRecord {
  const fields = record.type === TYPE.NSEC ? fieldsOf('NSEC', record.data) : fieldsOf('NSEC3', record.data)
  const types = fields.types.filter((each) => !APEX_TYPES.includes(each))
  if (types.length === fields.types.length) return record
  return withTypes(record, types)
}
