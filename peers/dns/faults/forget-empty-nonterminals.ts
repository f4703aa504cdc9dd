/**
 * P5: does not know empty non-terminals: `_tcp.mx` is NXDOMAIN although `_25._tcp.mx` exists, and its hash is missing
 * in the chain.
 */
import { z } from 'zod'
import { proveNoName } from '../dnssec/proof.ts'
import { defineFault } from '../fault.ts'
import { canonical, parentOf } from '../name.ts'
import { RCODE } from '../numbers.ts'
import { owedDenial, withProof } from '../tamper.ts'

export const fault = defineFault({
  id: 'forget-empty-nonterminals',
  title: 'Answers NXDOMAIN for empty non-terminals',
  source: ['PowerDNS before 3.2', 'DVE-2019-0001', 'RFC 8020 §2', 'RFC 4592 §2.2.2'],
  parameters: z.strictObject({}),
  respond(exchange) {
    const { question, zone, answer } = exchange
    const isEmpty = (name: string): boolean => {
      const node = zone.node(name)
      return node === undefined || zone.typesAt(node).length === 0
    }
    const found = zone.find(question.name, question.type)
    if (found.kind !== 'node' || !isEmpty(question.name)) return undefined
    let encloser = parentOf(canonical(question.name))
    while (isEmpty(encloser)) encloser = parentOf(encloser)
    const chain = zone.chain(zone.names().filter(({ types }) => types.length > 0))
    const sound = { ...answer(), rcode: RCODE.NXDOMAIN }
    const proof = owedDenial(exchange) && chain ? proveNoName(chain, question.name, encloser) : []
    return { send: withProof(exchange, sound, proof) ?? sound, detail: 'denied an empty non-terminal' }
  },
})
