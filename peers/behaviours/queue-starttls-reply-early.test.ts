import t from 'tap'
import type { WireEvent } from '../wire/units.ts'
import { command, play, reply, show } from './playbook.ts'
import { behaviour } from './queue-starttls-reply-early.ts'

const WAKE: WireEvent = { type: 'wake', alarm: 'release' }
const GO = { ...reply(2, '220 go\r\n'), upgrade: { context: 'good', residue: 'drop' } as const }

t.test('sends a 220 with the EHLO reply and the real one late', async (t) => {
  t.same(show(play(behaviour, {}, [command(1, 'EHLO c'), reply(1, '250 mx\r\n'), command(2, 'STARTTLS'), GO, WAKE])), [
    'command 1 "EHLO c\\r\\n"',
    'opportunity the EHLO reply passed in clear',
    'fired added "220 2.0.0 Ready to start TLS\\r\\n" to the EHLO reply',
    'reply 1 "250 mx\\r\\n220 2.0.0 Ready to start TLS\\r\\n"',
    'command 2 "STARTTLS\\r\\n"',
    'wake release after 1000 ms wall',
    'reply 2 "220 go\\r\\n" then TLS',
  ])
})

t.test('adds nothing to refusals, to HELO, or inside TLS', async (t) => {
  for (const [line, text, secured] of [
    ['EHLO c', '500 no\r\n', false],
    ['HELO c', '250 mx\r\n', false],
    ['EHLO c', '250 mx\r\n', true],
  ] as const) {
    t.same(show(play(behaviour, {}, [command(1, line, secured), reply(1, text, secured)])), [
      `command 1 "${line}\\r\\n"`,
      `reply 1 ${JSON.stringify(text)}`,
    ])
  }
})
