/**
 * N6: an older version of the zone, without the name: NXDOMAIN, with a proof that was sound then and still validates.
 * At one of two name servers the two disagree.
 */
import { z } from 'zod'
import { proveNoName } from '../dnssec/proof.ts'
import { defineFault } from '../fault.ts'
import { canonical, isWithin, type Name, parentOf } from '../name.ts'
import { RCODE } from '../numbers.ts'

export const fault = defineFault({
  id: 'forget-name',
  title: 'Answers from an older zone that has not the name',
  source: ['danefail/list', 'RFC 1034 §4.3.5', 'RFC 4035 §5.4'],
  parameters: z.strictObject({}),
  respond({ query, question, zone, answer }) {
    const name = canonical(question.name)
    if (zone.find(name, question.type).kind !== 'node' || name === zone.apex) return undefined
    const left = zone.names().filter((each) => !isWithin(canonical(each.name), name))
    const leadsSomewhere = (above: Name) =>
      left.some((each) => each.types.length > 0 && isWithin(canonical(each.name), canonical(above)))
    const names = left.filter((each) => leadsSomewhere(each.name))
    const denied = { ...answer(), rcode: RCODE.NXDOMAIN, answers: [], additionals: [], authorities: zone.soa }
    const chain = zone.chain(names)
    if (query.edns?.do !== true || chain === undefined) return { send: denied, detail: 'NXDOMAIN' }
    let encloser = parentOf(name)
    while (!names.some((each) => canonical(each.name) === encloser)) encloser = parentOf(encloser)
    const authorities = [zone.soa, ...proveNoName(chain, name, encloser)].flatMap((set) => zone.signed(set))
    return { send: { ...denied, authorities }, detail: 'NXDOMAIN with a proof from an older zone' }
  },
})
