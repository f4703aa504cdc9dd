import t from 'tap'
import { play } from '../testing/play-fault.ts'
import { fault } from './truncate-answers.ts'

t.test('TC and no record over UDP, no chance over TCP', async (t) => {
  const { send } = await play(fault, {}, 'badmx.test MX')
  t.match(send, { tc: true, aa: true, rcode: 0, answers: [] })
  t.equal((await play(fault, {}, 'badmx.test MX', { transport: 'tcp' })).send, undefined)
})
