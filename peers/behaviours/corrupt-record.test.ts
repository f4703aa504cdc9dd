import t from 'tap'
import type { Bytes, WireEvent } from '../wire/units.ts'
import { behaviour } from './corrupt-record.ts'
import { layerOf, play, show } from './playbook.ts'

const UP: WireEvent = { type: 'tls', end: 'client', state: 'up' }
const record = Buffer.from('\u0017\u0003\u0003\u0000\u0005abcde', 'latin1')
const server = (bytes: Buffer): Bytes => ({ type: 'bytes', from: 'server', bytes })
const client = (bytes: Buffer): Bytes => ({ type: 'bytes', from: 'client', bytes })
const sent = (parameters: object, events: readonly WireEvent[]): string =>
  Buffer.concat(
    play(behaviour, parameters, events).flatMap((output) => (output.type === 'bytes' ? [output.bytes] : [])),
  ).toString('latin1')

t.test('flips one octet of the first record and sends nothing after it', async (t) => {
  const text = record.toString('latin1')
  t.equal(sent({}, [UP, server(Buffer.concat([record, record])), server(record)]), `${text.slice(0, -1)}d`)
})

t.test('the same at every split', async (t) => {
  for (let at = 1; at < record.length; at += 1)
    t.same(
      sent({}, [UP, server(record.subarray(0, at)), server(record.subarray(at))]),
      sent({}, [UP, server(record)]),
      `at ${at}`,
    )
})

t.test('half a record and FIN, or cleartext in its place', async (t) => {
  t.same(show(play(behaviour, { how: 'cut' }, [UP, server(record)])).slice(2), [
    'bytes from server "\\u0017\\u0003\\u0003\\u0000\\u0005"',
    'close client fin without notify',
  ])
  t.equal(sent({ how: 'clear', text: '250 mx\r\n' }, [UP, server(record), server(record)]), '250 mx\r\n')
})

t.test('leaves the handshake and the client alone', async (t) => {
  t.same(play(behaviour, {}, [server(record), client(record)]), [server(record), client(record)])
  const layer = layerOf(behaviour)
  for (const event of [UP, server(record)]) layer.on(event)
  t.same(layer.on(client(record)), [client(record)])
})
