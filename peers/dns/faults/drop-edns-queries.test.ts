import t from 'tap'
import { play } from '../testing/play-fault.ts'
import { fault } from './drop-edns-queries.ts'

t.test('a query with EDNS is dropped, one without is not', async (t) => {
  const { query, zone } = await play(fault, {}, 'mx.badmx.test A')
  const { edns: _, ...plain } = query
  const [question] = query.questions
  if (question === undefined) throw new Error('a question')
  const exchange = { question, transport: 'udp' as const, zone, own: zone, answer: () => query }
  t.match(fault.respond({ ...exchange, query }, {}), { send: 'nothing' })
  t.equal(fault.respond({ ...exchange, query: plain }, {}), undefined)
})
