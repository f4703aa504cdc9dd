import t from 'tap'
import { denialsOf, messageOf, play } from '../testing/play-fault.ts'
import { fault } from './omit-wildcard-denial.ts'

t.test("the wildcard's own record is left out, by NSEC and NSEC3", async (t) => {
  for (const signing of [{}, { nsec3: {} }]) {
    const played = await play(fault, {}, '_25._tcp.wild.badmx.test TLSA', { signing })
    const own = played.zone.denial?.match('*.wild.badmx.test')?.[0]?.name
    t.ok(denialsOf(played.sound).some((line) => line.endsWith(` ${own}`)))
    t.notOk(denialsOf(messageOf(played)).some((line) => line.endsWith(` ${own}`)))
  }
})

t.test('no chance for other denials', async (t) => {
  for (const asked of ['mx.badmx.test TLSA', 'nobody.badmx.test A', 'q.wild.badmx.test A'])
    t.equal((await play(fault, {}, asked)).send, undefined, asked)
})
