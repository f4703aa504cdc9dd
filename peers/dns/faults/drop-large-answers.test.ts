import t from 'tap'
import { encodeMessage } from '../message.ts'
import { play } from '../testing/play-fault.ts'
import { fault } from './drop-large-answers.ts'

t.test('what is longer is dropped, over UDP', async (t) => {
  const { sound } = await play(fault, {}, 'mx.badmx.test A')
  const { length } = encodeMessage(sound)
  t.match(await play(fault, { octets: length - 1 }, 'mx.badmx.test A'), {
    send: 'nothing',
    detail: RegExp(`${length}`),
  })
  t.equal((await play(fault, { octets: length }, 'mx.badmx.test A')).send, undefined)
  t.equal((await play(fault, { octets: 12 }, 'mx.badmx.test A', { transport: 'tcp' })).send, undefined)
})
