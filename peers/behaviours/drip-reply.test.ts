import t from 'tap'
import { behaviour } from './drip-reply.ts'
import { command, layerOf, play, reply, show } from './playbook.ts'

const WAKE = { type: 'wake', alarm: 'next' } as const

t.test('one octet at a time, the last of them ends the reply', async (t) => {
  const layer = layerOf(behaviour, { padTo: 0 })
  t.same(show(layer.on(reply(0, '22\n'))), [
    'opportunity the banner was due',
    'fired began to send 3 octets, one every 30 s was "22\\n"',
    'reply 0 "2" more follows',
    'wake next after 30000 ms scaled',
  ])
  t.same(show(layer.on(WAKE)), ['reply 0 "2" more follows', 'wake next after 30000 ms scaled'])
  t.same(show(layer.on(WAKE)), ['reply 0 "\\n"'])
  t.same(layer.on(WAKE), [], 'and no more')
})

t.test('the reply to EHLO in clear, filled to its length', async (t) => {
  const layer = layerOf(behaviour, { at: 'ehlo', padTo: 40 })
  layer.on(command(1, 'EHLO c'))
  const octets: Buffer[] = []
  for (let outputs = layer.on(reply(1, '250-mx\r\n250 HELP\r\n')); outputs.length > 0; outputs = layer.on(WAKE)) {
    octets.push(...outputs.flatMap((output) => (output.type === 'reply' ? [output.bytes] : [])))
  }
  t.equal(Buffer.concat(octets).toString(), `250-mx ${'.'.repeat(21)}\r\n250 HELP\r\n`)
})

t.test('silent for other replies', async (t) => {
  const others = [command(1, 'EHLO c'), reply(1, '250 mx\r\n'), reply(2, '250 ok\r\n')]
  t.same(play(behaviour, {}, others), others)
  const inside = [command(1, 'EHLO c', true), reply(1, '250 mx\r\n', true)]
  t.same(play(behaviour, { at: 'ehlo' }, inside), inside)
})
