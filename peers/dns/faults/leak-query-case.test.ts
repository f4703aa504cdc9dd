import t from 'tap'
import { TYPE } from '../numbers.ts'
import { dataOf, messageOf, play } from '../testing/play-fault.ts'
import { fault } from './leak-query-case.ts'

t.test('into the next name', async (t) => {
  const played = await play(fault, {}, 'nobody.BADMX.test A')
  for (const data of dataOf(messageOf(played).authorities, TYPE.NSEC)) t.match(data, /BADMX\.test\. /)
  for (const data of dataOf(played.sound.authorities, TYPE.NSEC)) t.match(data, /badmx\.test\. /)
})

t.test("out of the apex's bitmap", async (t) => {
  const played = await play(fault, { into: 'apex-bitmap' }, 'BADMX.test TLSA')
  t.match(dataOf(played.sound.authorities, TYPE.NSEC), [/DNSKEY/])
  t.notMatch(dataOf(messageOf(played).authorities, TYPE.NSEC)[0], /DNSKEY/)
})

t.test('no chance for lower case, and where no denial is', async (t) => {
  t.equal((await play(fault, {}, 'nobody.badmx.test A')).send, undefined)
  t.equal((await play(fault, {}, 'NOBODY.badmx.test A')).send, undefined, "the zone's own name is in lower case")
  t.equal((await play(fault, {}, 'mx.BADMX.test A')).send, undefined)
  t.equal((await play(fault, { into: 'apex-bitmap' }, 'mx.BADMX.test TLSA')).send, undefined)
})
