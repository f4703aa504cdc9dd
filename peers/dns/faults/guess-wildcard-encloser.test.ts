import t from 'tap'
import { denialsOf, messageOf, play } from '../testing/play-fault.ts'
import { fault } from './guess-wildcard-encloser.ts'

/** With this salt no record of the proof is by chance another's that is looked for. */
const NSEC3 = { signing: { nsec3: { salt: 'aabb' } } }
const ASKED = '_25._tcp.wild.badmx.test TLSA'

t.test('the apex, or the parent of the name, for the closest encloser', async (t) => {
  const apex = await play(fault, { encloser: 'apex' }, ASKED, NSEC3)
  t.ok(denialsOf(messageOf(apex)).includes(`NSEC3 ${apex.zone.denial?.match('badmx.test')?.[0]?.name}`))
  const parent = await play(fault, {}, ASKED, NSEC3)
  t.equal(parent.zone.denial?.match('_tcp.wild.badmx.test'), undefined, 'which does not exist')
  t.notOk(denialsOf(messageOf(parent)).includes(`NSEC3 ${parent.zone.denial?.match('wild.badmx.test')?.[0]?.name}`))
})

t.test('no chance: one label below the wildcard, by NSEC, with data, without a wildcard', async (t) => {
  t.equal((await play(fault, {}, 'mx.wild.badmx.test TLSA', NSEC3)).send, undefined, 'there it is right')
  t.equal((await play(fault, {}, ASKED)).send, undefined)
  t.equal((await play(fault, {}, '_25._tcp.wild.badmx.test A', NSEC3)).send, undefined)
  t.equal((await play(fault, {}, 'mx.badmx.test TLSA', NSEC3)).send, undefined)
})
