import t from 'tap'
import { denialsOf, messageOf, play } from '../testing/play-fault.ts'
import { fault } from './deny-with-apex-nsec.ts'

t.test("the apex's NSEC for the one over the wildcard", async (t) => {
  const played = await play(fault, {}, '_25._tcp.plain.badmx.test TLSA')
  t.same(denialsOf(played.sound), ['NSEC 1.plain.badmx.test', 'NSEC plain.badmx.test'])
  t.same(denialsOf(messageOf(played)), ['NSEC 1.plain.badmx.test', 'NSEC badmx.test'])
})

t.test('no chance by NSEC3, and for NODATA', async (t) => {
  t.equal((await play(fault, {}, '_25._tcp.plain.badmx.test TLSA', { signing: { nsec3: {} } })).send, undefined)
  t.equal((await play(fault, {}, 'mx.badmx.test TLSA')).send, undefined)
})
