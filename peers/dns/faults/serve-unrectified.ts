/**
 * P7: a zone whose order of names was never computed ("rectified"). By NSEC every denial is one record from the apex to
 * the apex. By NSEC3 it depends on what stands in the place of the order: where there is nothing the server fails; where
 * there are empty texts it says nothing of names that exist, and denies others by a malformed record, at the apex, with a
 * hash of no octets and the types of whatever record comes last. Empty non-terminals are NXDOMAIN.
 */
import { z } from 'zod'
import { defineFault, type Exchange } from '../fault.ts'
import { type Message, responseTo } from '../message.ts'
import { canonical, type Name } from '../name.ts'
import { CLASS, RCODE, TYPE } from '../numbers.ts'
import { fieldsOf, rdata } from '../rdata.ts'
import type { ServedZone } from '../served-zone.ts'
import { isProof, withProof } from '../tamper.ts'

export const fault = defineFault({
  id: 'serve-unrectified',
  title: 'Denies from a zone that was never put in order',
  source: ['PowerDNS #8689 (4.7.3, reproduced)', 'PowerDNS #2277', 'RFC 4034 §4.1.1', 'RFC 5155 §3.1.7'],
  parameters: z.strictObject({
    order: z
      .enum(['missing', 'empty'])
      .default('missing')
      .describe("What stands in the database's column for the order (ordername): nothing (NULL), or empty texts."),
  }),
  respond(exchange, { order }) {
    const { query, zone, answer } = exchange
    const { denial } = zone
    if (query.edns?.do !== true || denial === undefined) return undefined
    const sound = answer()
    if (!sound.aa || !sound.authorities.some(isProof)) return undefined
    const isNsec = denial.kind === 'nsec'
    if (!isNsec && order === 'missing') {
      const send = { ...responseTo(query, RCODE.SERVFAIL), aa: true }
      return { send, detail: 'authoritative SERVFAIL: there is no order to deny by' }
    }
    const node = zone.node(lastName(exchange, sound))
    const types = node === undefined ? undefined : zone.typesAt(node)
    const rcode = types?.length === 0 ? RCODE.NXDOMAIN : sound.rcode
    const isNodata = types !== undefined && types.length > 0
    const pattern = denial.match(isNsec ? zone.apex : lastOf(zone))?.[0]
    if (pattern === undefined) return undefined
    const data = isNsec
      ? rdata('NSEC', { ...fieldsOf('NSEC', pattern.data), next: zone.apex })
      : rdata('NSEC3', { ...fieldsOf('NSEC3', pattern.data), next: Buffer.alloc(0) })
    const type = isNsec ? TYPE.NSEC : TYPE.NSEC3
    const record = { name: zone.zone.origin, type, class: CLASS.IN, ttl: pattern.ttl, data }
    const send = withProof(exchange, { ...sound, rcode }, !isNsec && isNodata ? [] : [[record]])
    return send && { send, detail: 'one record from the apex to the apex denies everything' }
  },
})

/** What the denial is about: the name that was asked for, or where its aliases lead. */
function lastName({ question }: Exchange, { answers }: Message): Name {
  let name = question.name
  for (const { name: owner, type, data } of answers)
    if (type === TYPE.CNAME && canonical(owner) === canonical(name)) name = fieldsOf('CNAME', data).target
  return name
}

/** The name of the record that was written last. */
function lastOf(zone: ServedZone): Name {
  return zone.names().findLast(({ types }) => types.length > 0)?.name ?? zone.apex
}
