/**
 * P6: takes the name of the zone as the query wrote it. In the next name of NSEC, which is signed as it stands, that breaks the
 * signature; in the look-up of what the apex has, it loses DNSKEY and NSEC3PARAM from the apex's bitmap.
 */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { canonical, countLabels, isWithin, lastLabels } from '../name.ts'
import { TYPE } from '../numbers.ts'
import { fieldsOf, rdata } from '../rdata.ts'
import { isDenialType, mapRecords } from '../tamper.ts'

export const fault = defineFault({
  id: 'leak-query-case',
  title: "Takes the query's case for the zone's name",
  source: ['PowerDNS before 3.3', 'RFC 4343 §3', 'RFC 6840 §5.1'],
  parameters: z.strictObject({
    into: z.enum(['next-name', 'apex-bitmap']).default('next-name').describe('Where the case leaks to.'),
  }),
  respond({ question, zone, answer }, { into }) {
    const written = lastLabels(question.name, countLabels(zone.apex))
    if (written === zone.apex || canonical(written) !== zone.apex) return undefined
    let hasLeaked = false
    const send = mapRecords(answer(), (record) => {
      if (into === 'next-name' && record.type === TYPE.NSEC) {
        const { next, types } = fieldsOf('NSEC', record.data)
        if (!isWithin(next, zone.apex)) return record
        hasLeaked = true
        return {
          ...record,
          data: rdata('NSEC', { next: next.slice(0, next.length - zone.apex.length) + written, types }),
        }
      }
      if (into === 'apex-bitmap' && isDenialType(record.type)) {
        const shorter = withoutApexTypes(record.type, record.data)
        hasLeaked ||= shorter !== record.data
        return { ...record, data: shorter }
      }
      return record
    })
    return hasLeaked
      ? { send, detail: `${written} in the ${into === 'next-name' ? 'next name' : "apex's look-up"}` }
      : undefined
  },
})

const APEX_TYPES: readonly number[] = [TYPE.DNSKEY, TYPE.NSEC3PARAM]

/** The same octets where the bitmap has none of them. */
function withoutApexTypes(type: number, data: Buffer): Buffer {
  const fields = type === TYPE.NSEC ? fieldsOf('NSEC', data) : fieldsOf('NSEC3', data)
  const types = fields.types.filter((each) => !APEX_TYPES.includes(each))
  if (types.length === fields.types.length) return data
  return 'iterations' in fields ? rdata('NSEC3', { ...fields, types }) : rdata('NSEC', { ...fields, types })
}
