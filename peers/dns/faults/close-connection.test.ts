import t from 'tap'
import { play } from '../testing/play-fault.ts'
import { fault } from './close-connection.ts'

t.test('ends TCP, has no chance over UDP', async (t) => {
  t.match((await play(fault, {}, 'badmx.test MX', 'tcp')).faulty, { send: 'close' })
  t.equal((await play(fault, {}, 'badmx.test MX')).faulty, undefined)
})
