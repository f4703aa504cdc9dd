/**
 * The zone above has a DS for a key that the zone has not: a rollover that went wrong. It is put into the zone, and is
 * the parent's.
 */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { canonical } from '../name.ts'
import { TYPE } from '../numbers.ts'
import { fieldsOf, rdata } from '../rdata.ts'
import { typeSigned } from '../tamper.ts'

export const fault = defineFault({
  id: 'mismatch-ds',
  title: 'Has a DS above for another key',
  source: ['RFC 4035 §5.2', 'RFC 6781 §4.1.2', 'danefail/list'],
  side: 'parent',
  parameters: z.strictObject({}),
  respond({ zone, own, answer }) {
    const sound = answer()
    const isDs = (each: (typeof sound.answers)[number]) => each.type === TYPE.DS && canonical(each.name) === own.apex
    const set = [...sound.answers, ...sound.authorities].filter(isDs)
    if (set.length === 0 || zone.signer === undefined) return undefined
    const wrong = set.map((each) => ({ ...each, data: otherKey(each.data) }))
    const signature = zone.signer.sign(wrong, zone.signer.validity)
    const replace = (section: typeof sound.answers) =>
      section.flatMap((each) => {
        if (isDs(each)) return wrong
        return each.type === TYPE.RRSIG && typeSigned(each) === TYPE.DS ? [signature] : [each]
      })
    const send = { ...sound, answers: replace(sound.answers), authorities: replace(sound.authorities) }
    return { send, detail: `a DS of ${own.apex} for a key that it has not` }
  },
})

function otherKey(data: Buffer): Buffer {
  const ds = fieldsOf('DS', data)
  return rdata('DS', { ...ds, digest: Buffer.from(ds.digest.map((octet) => octet ^ 0xff)) })
}
