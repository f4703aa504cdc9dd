import t from 'tap'
import { TYPE } from '../numbers.ts'
import { dataOf, messageOf, play } from '../testing/play-fault.ts'
import { fault } from './bump-serial.ts'

t.test('the serial is one more, the signature the old one', async (t) => {
  const played = await play(fault, {}, 'mx.badmx.test TLSA')
  t.match(dataOf(played.sound.authorities, TYPE.SOA), [/ 1 3600 /])
  t.match(dataOf(messageOf(played).authorities, TYPE.SOA), [/ 2 3600 /])
  t.same(dataOf(messageOf(played).authorities, TYPE.RRSIG), dataOf(played.sound.authorities, TYPE.RRSIG))
  t.match(dataOf(messageOf(await play(fault, {}, 'badmx.test SOA')).answers, TYPE.SOA), [/ 2 3600 /])
  t.equal((await play(fault, {}, 'mx.badmx.test A')).send, undefined)
})
