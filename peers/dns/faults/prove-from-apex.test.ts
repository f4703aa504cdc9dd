import t from 'tap'
import { denialsOf, messageOf, play } from '../testing/play-fault.ts'
import { fault } from './prove-from-apex.ts'

const NSEC3 = { signing: { nsec3: {} } }

t.test('the proof has the apex and not the closest encloser', async (t) => {
  const played = await play(fault, {}, '_25._tcp.plain.badmx.test TLSA', NSEC3)
  const denials = denialsOf(messageOf(played))
  t.ok(denials.includes(`NSEC3 ${played.zone.denial?.match('badmx.test')?.[0]?.name}`))
  t.ok(denials.includes(`NSEC3 ${played.zone.denial?.cover('_25._tcp.plain.badmx.test')?.[0]?.name}`))
  t.notSame(denials, denialsOf(played.sound))
})

t.test('no chance: by NSEC, for what exists, without DO, below the apex itself', async (t) => {
  t.equal((await play(fault, {}, '_25._tcp.plain.badmx.test TLSA')).send, undefined)
  t.equal((await play(fault, {}, 'mx.badmx.test A', NSEC3)).send, undefined)
  t.equal((await play(fault, {}, '_25._tcp.plain.badmx.test TLSA', { ...NSEC3, dnssecOk: false })).send, undefined)
  t.equal((await play(fault, {}, 'nobody.badmx.test A', NSEC3)).send, undefined, 'there it is right')
})
