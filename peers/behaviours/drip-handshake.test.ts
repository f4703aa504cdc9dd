import t from 'tap'
import type { Bytes } from '../wire/units.ts'
import { behaviour } from './drip-handshake.ts'
import { layerOf, play, show } from './playbook.ts'

const HELLO = { type: 'tls', end: 'client', state: 'hello' } as const
const server = (text: string): Bytes => ({ type: 'bytes', from: 'server', bytes: Buffer.from(text) })
const WAKE = { type: 'wake', alarm: 'next' } as const

t.test('one octet at a time from the ClientHello on, in order', async (t) => {
  const layer = layerOf(behaviour)
  t.same(show(layer.on(HELLO)), ['opportunity the ClientHello arrived'])
  t.same(show(layer.on(server('ab'))), [
    'fired began to send the handshake, one octet every 30 s',
    'bytes from server "a"',
    'wake next after 30000 ms scaled',
  ])
  t.same(layer.on(server('c')), [], 'waits behind')
  t.same(show(layer.on(WAKE))[0], 'bytes from server "b"')
  t.same(show(layer.on(WAKE))[0], 'bytes from server "c"')
  t.same(layer.on(WAKE), [])
})

t.test('silent before the ClientHello, and for what the client sends', async (t) => {
  t.same(play(behaviour, {}, [server('220 go\r\n')]), [server('220 go\r\n')])
  const client: Bytes = { type: 'bytes', from: 'client', bytes: Buffer.from('x') }
  t.same(show(play(behaviour, {}, [HELLO, client])).at(-1), 'bytes from client "x"')
})
