import t from 'tap'
import { play } from '../testing/play-fault.ts'
import { fault } from './delay-answers.ts'

t.test('the sound answer', async (t) => {
  const { sound, send } = await play(fault, {}, 'badmx.test MX')
  t.equal(send, sound)
})
