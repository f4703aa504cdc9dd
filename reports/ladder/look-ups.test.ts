import t from 'tap'
import { encodeMessage, type Message, queryFor, type ResourceRecord } from '../../peers/dns/message.ts'
import { TYPE } from '../../peers/dns/numbers.ts'
import { rdata } from '../../peers/dns/rdata.ts'
import type { DnsCrossed } from '../../peers/events.ts'
import { lookUpsOf } from './look-ups.ts'

const MX = queryFor('a.test', TYPE.MX, { id: 7, rd: true })
const address = { address: '127.0.0.1', port: 53 }

function crossed(t: number, message: Message | Buffer, change: Partial<DnsCrossed> = {}): DnsCrossed {
  const data = Buffer.isBuffer(message) ? message : encodeMessage(message)
  const direction = Buffer.isBuffer(message) || !message.qr ? 'in' : 'out'
  return {
    type: 'dns',
    t,
    cell: 'c',
    at: 'stub',
    direction,
    local: address,
    peer: address,
    transport: 'udp',
    data,
    ...change,
  }
}

function answered(query: Message, change: Partial<Message>): Message {
  return { ...query, qr: true, ...change }
}

function record(name: string, type: number, data: Buffer): ResourceRecord {
  return { name, type, class: 1, ttl: 1, data }
}

const texts = (events: readonly DnsCrossed[]) =>
  lookUpsOf(events.map((event, seq) => ({ event, seq }))).map(({ seq, at, text }) => `${seq} ${at} ${text}`)

t.test('a question and its answer are one row, at the time of the answer', async (t) => {
  const exchange = record('a.test', TYPE.MX, rdata('MX', { preference: 10, exchange: 'mx.a.test' }))
  const signature = record('a.test', TYPE.RRSIG, Buffer.alloc(40))
  const found = crossed(5, answered(MX, { ad: true, answers: [exchange, signature] }))
  t.strictSame(texts([crossed(1, MX), found]), ['1 5 DNS a.test MX: NOERROR, AD; 10 mx.a.test.'])
  const alias = record('a.test', TYPE.CNAME, rdata('CNAME', { target: 'b.test' }))
  t.strictSame(texts([crossed(1, MX), crossed(5, answered(MX, { answers: [alias] }))]), [
    '1 5 DNS a.test MX: NOERROR; a.test CNAME b.test.',
  ])
  t.strictSame(texts([crossed(1, MX), crossed(9, answered(MX, { rcode: 2 }), { ede: [22] })]), [
    '1 9 DNS a.test MX: SERVFAIL, EDE 22',
  ])
})

t.test('what is not answered is told once, at its last question', async (t) => {
  const again = [crossed(1, MX), crossed(6, MX)]
  t.strictSame(texts(again), ['1 6 DNS a.test MX: no answer came'])
  t.strictSame(texts([...again, crossed(7, answered({ ...MX, id: 8 }, {}))]).length, 2, 'another answer is not its')
})

t.test("only the client's own questions, and only what can be read", async (t) => {
  t.strictSame(texts([crossed(1, MX, { at: 'resolver' }), crossed(2, Buffer.from('rubbish'))]), [])
  const hostile = queryFor('\u202e\u001b.test', TYPE.A, { id: 1 })
  t.notMatch(texts([crossed(1, hostile)]).join(''), /[\u001b\u202e]/)
})
