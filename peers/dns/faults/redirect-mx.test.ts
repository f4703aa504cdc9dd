import t from 'tap'
import { TYPE } from '../numbers.ts'
import { dataOf, messageOf, play } from '../testing/play-fault.ts'
import { fault } from './redirect-mx.ts'

t.test('another exchange, and no signature', async (t) => {
  const played = await play(fault, { exchange: 'mx.elsewhere.test' }, 'badmx.test MX')
  t.same(dataOf(played.sound.answers, TYPE.MX), ['10 mx.badmx.test.'])
  const sent = messageOf(played)
  t.same(dataOf(sent.answers, TYPE.MX), ['10 mx.elsewhere.test.'])
  t.match(sent, { aa: true, answers: { length: 1 }, authorities: [], questions: played.query.questions })
})

t.test('where there are no MX records it has no chance', async (t) => {
  t.equal((await play(fault, {}, 'mx.badmx.test MX')).send, undefined)
  t.equal((await play(fault, {}, 'mx.badmx.test A')).send, undefined)
})
