/**
 * P8: the server finds a gap in its own NSEC3 chain and answers SERVFAIL, authoritative and empty, wherever it would
 * have to deny.
 */
import { z } from 'zod'
import { defineFault } from '../fault.ts'
import { responseTo } from '../message.ts'
import { RCODE } from '../numbers.ts'
import { owedDenial } from '../tamper.ts'

export const fault = defineFault({
  id: 'fail-on-chain-gap',
  title: 'Answers SERVFAIL where it would have to deny',
  source: ['denimx.nl (danefail/list)', 'RFC 5155 §7.2.9'],
  parameters: z.strictObject({}),
  respond(exchange) {
    if (owedDenial(exchange) === undefined) return undefined
    const send = { ...responseTo(exchange.query, RCODE.SERVFAIL), aa: true }
    return { send, detail: 'authoritative SERVFAIL in place of a denial' }
  },
})
