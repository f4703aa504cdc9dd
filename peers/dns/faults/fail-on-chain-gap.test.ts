import t from 'tap'
import { RCODE } from '../numbers.ts'
import { play } from '../testing/play-fault.ts'
import { fault } from './fail-on-chain-gap.ts'

t.test('SERVFAIL with AA for every denial, no chance for what there is', async (t) => {
  for (const asked of ['nobody.badmx.test A', 'mx.badmx.test TLSA', 'q.wild.badmx.test A'])
    t.match(
      (await play(fault, {}, asked)).send,
      { rcode: RCODE.SERVFAIL, aa: true, answers: [], authorities: [] },
      asked,
    )
  t.equal((await play(fault, {}, 'mx.badmx.test A')).send, undefined)
})
