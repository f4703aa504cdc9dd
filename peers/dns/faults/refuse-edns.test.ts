import t from 'tap'
import { RCODE } from '../numbers.ts'
import { messageOf, play } from '../testing/play-fault.ts'
import { fault } from './refuse-edns.ts'

t.test('FORMERR without EDNS; a query without EDNS is answered', async (t) => {
  const played = await play(fault, {}, 'mx.badmx.test A')
  t.match(messageOf(played), { rcode: RCODE.FORMERR, answers: [] })
  t.equal(messageOf(played).edns, undefined)
  const { edns: _, ...plain } = played.query
  const [question] = plain.questions
  if (question === undefined) throw new Error('a question')
  const { zone } = played
  const exchange = { query: plain, question, transport: 'udp' as const, zone, own: zone, answer: () => plain }
  t.equal(fault.respond(exchange, {}), undefined)
})
