import t from 'tap'
import { play } from '../testing/play-fault.ts'
import { fault } from './close-connection.ts'

t.test('ends TCP, has no chance over UDP', async (t) => {
  t.equal((await play(fault, {}, 'badmx.test MX', { transport: 'tcp' })).send, 'close')
  t.equal((await play(fault, {}, 'badmx.test MX')).send, undefined)
})
