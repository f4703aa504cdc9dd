import t from 'tap'
import { messageOf, play } from '../testing/play-fault.ts'
import { fault } from './change-query-case.ts'

t.test('question and answer in lower case', async (t) => {
  const message = messageOf(await play(fault, {}, 'Mx.BadMX.test A'))
  t.match(message, { questions: [{ name: 'mx.badmx.test' }], answers: [{ name: 'mx.badmx.test' }] })
  t.equal((await play(fault, {}, 'mx.badmx.test A')).send, undefined)
})
