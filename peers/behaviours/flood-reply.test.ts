import t from 'tap'
import type { WireOutput } from '../wire/units.ts'
import { behaviour } from './flood-reply.ts'
import { command, layerOf, play, reply, show } from './playbook.ts'

const EHLO = command(1, 'EHLO c')
const WAKE = { type: 'wake', alarm: 'more' } as const

function octetsOf(outputs: readonly WireOutput[]): number {
  return outputs.reduce((sum, output) => sum + (output.type === 'reply' ? output.bytes.length : 0), 0)
}

t.test('answers EHLO with lines, each chunk when the one before is taken, then one at a time', async (t) => {
  const layer = layerOf(behaviour, { unit: '250-x\r\n', octets: 400_000 })
  t.same(show(layer.on(EHLO)), [
    'opportunity EHLO in clear',
    'fired began to send "250-x\\r\\n" without end',
    'wake more after 0 ms wall drained',
  ])
  const first = layer.on(WAKE)
  const second = layer.on(WAKE)
  t.ok(octetsOf(first) >= 256 * 1024 && octetsOf(first) < 257 * 1024, 'a chunk of whole units')
  t.ok(
    octetsOf(first) + octetsOf(second) >= 400_000 && octetsOf(first) + octetsOf(second) < 400_007,
    'as many as asked for',
  )
  const drop = ['reply null "250-x\\r\\n" more follows', 'wake more after 30000 ms scaled drained']
  const total = octetsOf(first) + octetsOf(second)
  t.same(show(layer.on(WAKE)), [`fired sent ${total} octets at full speed`, ...drop])
  t.same(show(layer.on(WAKE)), drop, 'and on')
})

t.test('a line without end, and then the end of the connection', async (t) => {
  const layer = layerOf(behaviour, { head: '250-', unit: 'x', octets: 10, then: 'close' })
  t.equal(show(layer.on(EHLO))[2], 'reply null "250-" more follows')
  t.equal(octetsOf(layer.on(WAKE)), 10)
  t.same(show(layer.on(WAKE)), ['fired sent 10 octets at full speed', 'close client fin'])
  t.same(layer.on(WAKE), [], 'once')
})

t.test('a challenge that is huge and ends; what is said to it is refused', async (t) => {
  const layer = layerOf(behaviour, { at: 'auth', head: '334 ', unit: 'QUFB', octets: 8, then: 'finish' })
  layer.on(command(4, 'AUTH LOGIN', true))
  layer.on(WAKE)
  t.same(show(layer.on(WAKE)), ['fired sent 8 octets at full speed', 'reply 4 "\\r\\n" more follows'])
  t.same(show(layer.on(command(5, 'dXNlcg==', true))), ['reply 5 "535 5.7.8 Authentication credentials invalid\\r\\n"'])
})

t.test('banner and STARTTLS', async (t) => {
  t.equal(show(play(behaviour, { at: 'banner' }, [reply(0, '220 mx\r\n')]))[0], 'opportunity the banner was due')
  t.equal(show(play(behaviour, { at: 'starttls' }, [command(2, 'STARTTLS')]))[2], 'opaque')
})

t.test('silent at every other moment; deaf and in the end polite once it has begun', async (t) => {
  const others = [command(1, 'EHLO c', true), command(2, 'HELO c'), reply(0, '220 mx\r\n')]
  t.same(play(behaviour, {}, others), others)
  const after = play(behaviour, {}, [EHLO, command(2, 'NOOP'), command(3, 'QUIT'), { type: 'eof', from: 'client' }])
  t.same(show(after).slice(3), ['close client fin', 'eof from client'])
})
