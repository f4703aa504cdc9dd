import t from 'tap'
import { play } from '../testing/play-fault.ts'
import { fault } from './delay-answers.ts'

t.test('the sound answer', async (t) => {
  const { sound, faulty } = await play(fault, {}, 'badmx.test MX')
  t.same(faulty, { send: sound, detail: 'answered late' })
})
