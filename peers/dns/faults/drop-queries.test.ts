import t from 'tap'
import { play } from '../testing/play-fault.ts'
import { fault } from './drop-queries.ts'

t.test('nothing leaves, on either transport', async (t) => {
  for (const transport of ['udp', 'tcp'] as const) {
    const { send, detail } = await play(fault, {}, '_25._tcp.mx.badmx.test TLSA', { transport })
    t.same({ send, detail }, { send: 'nothing', detail: 'dropped the query' })
  }
})
