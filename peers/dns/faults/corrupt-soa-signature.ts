/** N10: the SOA's signature is wrong in negative answers, and only there. */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { TYPE } from '../numbers.ts'
import { typeSigned } from '../tamper.ts'

export const fault = defineFault({
  id: 'corrupt-soa-signature',
  title: 'Sends a wrong signature of the SOA in denials',
  source: ['dnsop msg09852', 'RFC 4035 §3.1.3'],
  parameters: z.strictObject({}),
  respond({ answer }) {
    const sound = answer()
    const isSoa = (each: (typeof sound.authorities)[number]) =>
      each.type === TYPE.RRSIG && typeSigned(each) === TYPE.SOA
    if (!sound.authorities.some(isSoa)) return undefined
    const authorities = sound.authorities.map((each) => (isSoa(each) ? { ...each, data: flipLast(each.data) } : each))
    return { send: { ...sound, authorities }, detail: "one bit of the SOA's signature was turned" }
  },
})

function flipLast(data: Buffer): Buffer {
  const flipped = Buffer.from(data)
  flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1
  return flipped
}
