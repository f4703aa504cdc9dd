import t from 'tap'
import { messageOf, play, signedTypes } from '../testing/play-fault.ts'
import { fault } from './ignore-do.ts'

t.test('data without signatures, and DO is not echoed', async (t) => {
  const played = await play(fault, {}, 'mx.badmx.test A')
  t.ok(signedTypes(played.sound).length > 0)
  t.same(signedTypes(messageOf(played)), [])
  t.equal(messageOf(played).answers.length, 1)
  t.equal(messageOf(played).edns?.do, false)
  t.equal((await play(fault, {}, 'mx.badmx.test A', { dnssecOk: false })).send, undefined)
})
