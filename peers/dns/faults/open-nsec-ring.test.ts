import t from 'tap'
import { TYPE } from '../numbers.ts'
import { dataOf, messageOf, play } from '../testing/play-fault.ts'
import { fault } from './open-nsec-ring.ts'

t.test('the last NSEC leads to the second name', async (t) => {
  const played = await play(fault, {}, 'zzz.badmx.test A')
  t.match(dataOf(played.sound.authorities, TYPE.NSEC)[0], /^badmx\.test\. /)
  const [next] = dataOf(messageOf(played).authorities, TYPE.NSEC)
  t.match(next, /^lost\.badmx\.test\. /)
})

t.test('no chance where the last is not needed', async (t) => {
  t.equal((await play(fault, {}, 'mx.badmx.test TLSA')).send, undefined)
  t.equal((await play(fault, {}, 'zzz.badmx.test A', { signing: { nsec3: {} } })).send, undefined)
})
