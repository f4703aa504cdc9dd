import t from 'tap'
import { TYPE } from '../numbers.ts'
import { dataOf, messageOf, play } from '../testing/play-fault.ts'
import { fault } from './falsify-bitmap.ts'

t.test('the bitmap says what it is told to', async (t) => {
  const played = await play(fault, {}, 'mx.badmx.test TLSA')
  t.match(dataOf(messageOf(played).authorities, TYPE.NSEC), [/ TXT$/])
  t.notSame(
    dataOf(messageOf(played).authorities, TYPE.RRSIG),
    dataOf(played.sound.authorities, TYPE.RRSIG),
    'signed so',
  )
  const none = await play(fault, { types: [] }, '_25._tcp.plain.badmx.test TLSA', { signing: { nsec3: {} } })
  const own = none.zone.denial?.match('plain.badmx.test')?.[0]?.name
  const denial = messageOf(none).authorities.find(({ name, type }) => type === TYPE.NSEC3 && name === own)
  t.match(dataOf(denial === undefined ? [] : [denial], TYPE.NSEC3), [/^1 0 0 - \w+$/], 'of the closest encloser')
})

t.test('no chance for what there is; types that are none are refused', async (t) => {
  t.equal((await play(fault, {}, 'mx.badmx.test A')).send, undefined)
  await t.rejects(play(fault, { types: ['FOO'] }, 'mx.badmx.test TLSA'), /no record type/)
})
