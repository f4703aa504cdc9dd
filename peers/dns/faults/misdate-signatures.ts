/** Signs with dates that do not hold: expired two days ago, or not valid yet. The signatures themselves are sound. */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import type { ResourceRecord } from '../message.ts'
import { canonical, childOf, countLabels, lastLabels } from '../name.ts'
import { TYPE } from '../numbers.ts'
import { fieldsOf } from '../rdata.ts'

/** Seconds. Validators allow a day's skew of clocks (unbound's val-sig-skew-max): the dates are off by more. */
const DAY = 24 * 3600

export const fault = defineFault({
  id: 'misdate-signatures',
  title: 'Signs with dates that do not hold',
  source: ['RFC 4035 §5.3.1', 'danefail/list'],
  parameters: z.strictObject({
    as: z.enum(['expired', 'future']).default('expired').describe('Expired two days ago, or not valid for two months.'),
  }),
  respond({ zone, answer }, { as }) {
    const { signer } = zone
    const sound = answer()
    if (signer === undefined) return undefined
    const { inception, expiration } = signer.validity
    const dates =
      as === 'expired'
        ? { inception: inception - 30 * DAY, expiration: inception - DAY }
        : { inception: expiration, expiration: expiration + 30 * DAY }
    let count = 0
    const again = (section: readonly ResourceRecord[]): ResourceRecord[] =>
      section.map((record) => {
        if (record.type !== TYPE.RRSIG) return record
        const { typeCovered, originalTtl: ttl, labels } = fieldsOf('RRSIG', record.data)
        const owner = canonical(record.name)
        // What a wildcard stands for was signed as the wildcard.
        const name = labels < countLabels(owner) ? childOf(lastLabels(owner, labels), '*') : owner
        const set = section.filter((each) => each.type === typeCovered && canonical(each.name) === owner)
        count += 1
        return {
          ...record,
          data: signer.sign(
            set.map((each) => ({ ...each, name, ttl })),
            dates,
          ).data,
        }
      })
    const send = { ...sound, answers: again(sound.answers), authorities: again(sound.authorities) }
    return count === 0
      ? undefined
      : { send, detail: `${count} signatures ${as === 'expired' ? 'expired' : 'not yet valid'}` }
  },
})
