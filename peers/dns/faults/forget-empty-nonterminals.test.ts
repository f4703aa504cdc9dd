import t from 'tap'
import { RCODE } from '../numbers.ts'
import { messageOf, play } from '../testing/play-fault.ts'
import { fault } from './forget-empty-nonterminals.ts'

t.test('NXDOMAIN, also without DNSSEC', async (t) => {
  for (const signing of [{}, { nsec3: {} }, 'none'] as const) {
    const played = await play(fault, {}, '_tcp.mx.badmx.test A', { signing })
    t.equal(played.sound.rcode, RCODE.NOERROR)
    t.equal(messageOf(played).rcode, RCODE.NXDOMAIN)
  }
})

t.test('its hash is not in the proof', async (t) => {
  const played = await play(fault, {}, '_tcp.mx.badmx.test A', { signing: { nsec3: {} } })
  const own = played.zone.denial?.match('_tcp.mx.badmx.test')?.[0]
  t.ok(own)
  t.notOk(messageOf(played).authorities.some(({ name }) => name === own?.name))
})

t.test('no chance for names that have something, or are not there', async (t) => {
  for (const asked of ['mx.badmx.test TLSA', '_25._tcp.mx.badmx.test TLSA', 'nobody.badmx.test A'])
    t.equal((await play(fault, {}, asked)).send, undefined, asked)
})
