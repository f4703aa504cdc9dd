import t from 'tap'
import { RCODE } from '../numbers.ts'
import { play } from '../testing/play-fault.ts'
import { fault } from './fail-on-dangling-alias.ts'

t.test('SERVFAIL for an alias that leads to nothing, and only for that', async (t) => {
  t.match((await play(fault, {}, 'lost.badmx.test TLSA')).send, { rcode: RCODE.SERVFAIL, answers: [] })
  for (const asked of ['lost.badmx.test CNAME', 'mx.badmx.test A', 'nobody.badmx.test A'])
    t.equal((await play(fault, {}, asked)).send, undefined, asked)
})
