import t from 'tap'
import { responseTo } from '../message.ts'
import { RCODE } from '../numbers.ts'
import { play } from '../testing/play-fault.ts'
import { fault } from './answer-error.ts'

t.test('an error code and no record', async (t) => {
  for (const rcode of ['SERVFAIL', 'REFUSED', 'NOTIMP', 'FORMERR'] as const) {
    const { query, send, detail } = await play(fault, { rcode }, '_25._tcp.mx.badmx.test TLSA')
    t.same(send, responseTo(query, RCODE[rcode]))
    t.equal(detail, `answered ${rcode}`)
  }
  t.equal((await play(fault, {}, 'badmx.test MX')).detail, 'answered SERVFAIL')
  await t.rejects(play(fault, { rcode: 'NOERROR' }, 'badmx.test MX'), /rcode/)
})
