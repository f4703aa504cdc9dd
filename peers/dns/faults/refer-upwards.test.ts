import t from 'tap'
import { TYPE } from '../numbers.ts'
import { play } from '../testing/play-fault.ts'
import { fault } from './refer-upwards.ts'

t.test('a referral to the root, not authoritative', async (t) => {
  const { send } = await play(fault, {}, 'mx.badmx.test A')
  t.match(send, { aa: false, rcode: 0, answers: [], authorities: [{ name: '.', type: TYPE.NS }] })
})
