import t from 'tap'
import { TYPE } from '../numbers.ts'
import { denialsOf, messageOf, play, signedTypes } from '../testing/play-fault.ts'
import { fault } from './strip-signatures.ts'

t.test('signatures go, and proofs where told so', async (t) => {
  const only = await play(fault, {}, 'nobody.badmx.test A')
  t.same(signedTypes(messageOf(only)), [])
  t.same(denialsOf(messageOf(only)), denialsOf(only.sound))
  const all = messageOf(await play(fault, { proofs: true }, 'nobody.badmx.test A'))
  t.same(
    all.authorities.map(({ type }) => type),
    [TYPE.SOA],
  )
  t.equal((await play(fault, {}, 'mx.badmx.test A', { signing: 'none' })).send, undefined)
})
