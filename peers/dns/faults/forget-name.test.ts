import t from 'tap'
import { RCODE, TYPE } from '../numbers.ts'
import { denialsOf, messageOf, play } from '../testing/play-fault.ts'
import { fault } from './forget-name.ts'

t.test('NXDOMAIN with a proof of the zone without the name', async (t) => {
  const played = await play(fault, {}, '_25._tcp.mx.badmx.test TLSA')
  t.equal(played.sound.answers[0]?.type, TYPE.TLSA)
  t.match(messageOf(played), { rcode: RCODE.NXDOMAIN, answers: [] })
  t.same(denialsOf(messageOf(played)), ['NSEC mx.badmx.test'], 'over the name and over the wildcard')
})

t.test('without DO or signatures it is NXDOMAIN', async (t) => {
  for (const playing of [{ dnssecOk: false }, { signing: 'none' as const }]) {
    const message = messageOf(await play(fault, {}, '_25._tcp.mx.badmx.test TLSA', playing))
    t.match(message, { rcode: RCODE.NXDOMAIN, authorities: [{ type: TYPE.SOA }] })
    t.equal(message.authorities.length, 1)
  }
})

t.test('no chance for the apex, and for what is not there', async (t) => {
  t.equal((await play(fault, {}, 'badmx.test MX')).send, undefined)
  t.equal((await play(fault, {}, 'nobody.badmx.test A')).send, undefined)
})
