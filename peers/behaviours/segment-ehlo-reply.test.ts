import t from 'tap'
import type { WireEvent } from '../wire/units.ts'
import { command, layerOf, play, reply, show } from './playbook.ts'
import { behaviour } from './segment-ehlo-reply.ts'

const EHLO = command(1, 'EHLO c')
const WAKE: WireEvent = { type: 'wake', alarm: 'next piece' }

t.test('piece by piece, only the last is final', async (t) => {
  const outputs = show(play(behaviour, { octets: 4, gapMs: 20 }, [EHLO, reply(1, '250 mx\r\n'), WAKE]))
  t.same(outputs.slice(1), [
    'opportunity the reply to EHLO in clear',
    'fired sent 8 octets in 2 pieces, with 1 pause of 20 ms',
    'reply 1 "250 " more follows',
    'wake next piece after 20 ms scaled',
    'reply 1 "mx\\r\\n"',
  ])
})

t.test('a long reply is not paused more often than asked for', async (t) => {
  const text = `250 ${'x'.repeat(294)}\r\n`
  const layer = layerOf(behaviour, { pauses: 16 })
  const first = [...layer.on(EHLO), ...layer.on(reply(1, text))]
  const turns = [first]
  while (turns.at(-1)?.some((output) => output.type === 'wake-me') === true) turns.push([...layer.on(WAKE)])
  const pieces = turns.flat().flatMap((output) => (output.type === 'reply' ? [output.bytes] : []))
  t.equal(turns.length, 17, '16 pauses')
  t.equal(pieces.length, 300, 'one octet per piece all the same')
  t.equal(Buffer.concat(pieces).toString(), text)
  t.match(
    first.find((output) => output.type === 'fired'),
    { detail: /in 300 pieces, with 16 pauses of 20 ms$/ },
  )
})

t.test('no octet is lost or added, whatever the size of a piece', async (t) => {
  const text = '250-mx\r\n250-STARTTLS\r\n250 SIZE 10\r\n'
  for (let octets = 1; octets <= text.length; octets++) {
    const layer = layerOf(behaviour, { octets })
    const outputs = [EHLO, reply(1, text), ...Array.from({ length: text.length }, () => WAKE)].flatMap((event) => [
      ...layer.on(event),
    ])
    const pieces = outputs.flatMap((output) => (output.type === 'reply' ? [output] : []))
    t.equal(Buffer.concat(pieces.map((piece) => piece.bytes)).toString(), text, `${octets} octets`)
    t.equal(pieces.length, Math.ceil(text.length / octets))
    t.same(
      pieces.map((piece) => piece.last),
      pieces.map((_, at) => at === pieces.length - 1),
    )
    t.equal(
      outputs.some((output) => output.type === 'fired'),
      octets < text.length,
    )
  }
})

t.test('two replies do not mix', async (t) => {
  const events = [EHLO, command(2, 'EHLO c'), reply(1, '250 a\r\n'), reply(2, '250 b\r\n'), WAKE, WAKE, WAKE]
  const pieces = play(behaviour, { octets: 4 }, events).flatMap((output) => (output.type === 'reply' ? [output] : []))
  t.same(
    pieces.map((piece) => `${piece.id} ${piece.bytes}`),
    ['1 250 ', '1 a\r\n', '2 250 ', '2 b\r\n'],
  )
})

t.test('leaves everything else alone', async (t) => {
  const table = [
    ['another command', [command(1, 'NOOP'), reply(1, '250 ok\r\n')]],
    ['a refusal', [EHLO, reply(1, '500 no\r\n')]],
    ['inside TLS', [command(1, 'EHLO c', true), reply(1, '250 mx\r\n', true)]],
  ] as const
  for (const [name, events] of table) t.same(play(behaviour, {}, events), events, name)
})
