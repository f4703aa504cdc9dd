/** N5: the serial of the SOA was raised after signing: its signature fails, and with it every negative answer. */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { TYPE } from '../numbers.ts'
import { fieldsOf, rdata } from '../rdata.ts'
import { mapRecords } from '../tamper.ts'

export const fault = defineFault({
  id: 'bump-serial',
  title: 'Raises the serial after signing',
  source: ['danefail/list', 'RFC 4035 §5.3.3'],
  parameters: z.strictObject({}),
  respond({ answer }) {
    const sound = answer()
    let isRaised = false
    const send = mapRecords(sound, (record) => {
      if (record.type !== TYPE.SOA) return record
      isRaised = true
      const soa = fieldsOf('SOA', record.data)
      return { ...record, data: rdata('SOA', { ...soa, serial: (soa.serial + 1) >>> 0 }) }
    })
    return isRaised ? { send, detail: 'a serial that was not signed' } : undefined
  },
})
