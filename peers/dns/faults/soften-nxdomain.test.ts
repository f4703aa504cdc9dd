import t from 'tap'
import { RCODE } from '../numbers.ts'
import { play } from '../testing/play-fault.ts'
import { fault } from './soften-nxdomain.ts'

t.test('NOERROR, all else as it was', async (t) => {
  const { sound, send } = await play(fault, {}, 'nobody.badmx.test A')
  t.equal(sound.rcode, RCODE.NXDOMAIN)
  t.same(send, { ...sound, rcode: RCODE.NOERROR })
  t.equal((await play(fault, {}, 'mx.badmx.test TLSA')).send, undefined)
})
