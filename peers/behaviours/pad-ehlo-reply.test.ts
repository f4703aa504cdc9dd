import t from 'tap'
import type { WireOutput } from '../wire/units.ts'
import { behaviour } from './pad-ehlo-reply.ts'
import { command, play, reply } from './playbook.ts'

function sent(parameters: object, offer: string): { readonly lines: string[]; readonly fired: boolean } {
  const outputs: WireOutput[] = play(behaviour, parameters, [command(1, 'EHLO c'), reply(1, offer)])
  const last = outputs.at(-1)
  const text = last?.type === 'reply' ? last.bytes.toString('latin1') : ''
  return { lines: text.split(/(?<=\r\n)/), fired: outputs.some((output) => output.type === 'fired') }
}

t.test('one line beyond the limit, in front of STARTTLS', async (t) => {
  const { lines, fired } = sent({}, '250-mx\r\n250-SIZE 10\r\n250 STARTTLS\r\n')
  t.ok(fired)
  t.equal(lines.length, 4)
  t.equal(lines[1]?.length, 4096)
  t.match(lines[1], /^250-XPAD-00001-x+\r\n$/)
  t.same([lines[0], ...lines.slice(2)], ['250-mx\r\n', '250-STARTTLS\r\n', '250 SIZE 10\r\n'])
})

t.test('STARTTLS becomes line 1000', async (t) => {
  const { lines } = sent({ lines: 998, octets: 24 }, '250-mx\r\n250-SIZE 10\r\n250 STARTTLS\r\n')
  t.equal(lines[999], '250-STARTTLS\r\n')
  t.equal(lines[1000], '250 SIZE 10\r\n')
  t.ok(lines.slice(1, 999).every((line) => line.length === 24 && /^250-XPAD-\d{5}-/.test(line)))
  t.equal(new Set(lines).size, lines.length, 'no keyword twice')
})

t.test('silent where nothing is offered', async (t) => {
  t.same(sent({}, '250 mx\r\n'), { lines: ['250 mx\r\n'], fired: false })
})
