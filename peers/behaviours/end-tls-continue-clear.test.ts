import t from 'tap'
import type { WireEvent } from '../wire/units.ts'
import { behaviour } from './end-tls-continue-clear.ts'
import { command, play, reply, show } from './playbook.ts'

const WAKE: WireEvent = { type: 'wake', alarm: 'continue' }
const BEGUN = [command(3, 'EHLO c', true), WAKE]

t.test('ends TLS at the first greeting inside it and answers in clear, without STARTTLS', async (t) => {
  const outputs = play(behaviour, {}, [...BEGUN, reply(3, '250-mx\r\n250-SIZE 1\r\n250 STARTTLS\r\n', true)])
  t.same(show(outputs), [
    'opportunity EHLO arrived inside TLS',
    'fired ended TLS with close_notify; the session goes on in clear',
    'close client fin keep tcp',
    'wake continue after 100 ms wall',
    'command 3 "EHLO c\\r\\n"',
    'reply 3 "250-mx\\r\\n250 SIZE 1\\r\\n"',
  ])
  t.match(outputs.at(-1), { secured: false })
  t.match(show(play(behaviour, {}, [command(3, 'HELO c', true)]))[0], 'HELO arrived')
})

t.test('throws away what still comes inside TLS and passes on what comes in clear', async (t) => {
  const inside = { type: 'content', id: 4, of: 'BDAT', bytes: Buffer.from('x'), last: true, secured: true } as const
  const events = [
    ...BEGUN,
    command(4, 'MAIL FROM:<a@b>', true),
    inside,
    command(5, 'MAIL FROM:<a@b>'),
    reply(5, '250 ok\r\n', true),
    command(6, 'STARTTLS'),
  ]
  t.same(show(play(behaviour, {}, events)).slice(5), [
    'reply 4 ""',
    'command 5 "MAIL FROM:<a@b>\\r\\n"',
    'reply 5 "250 ok\\r\\n"',
    'reply 6 "502 5.5.1 Command not implemented\\r\\n"',
  ])
})

t.test('does nothing before TLS, and answers a second EHLO in clear like the first', async (t) => {
  const offer = '250-mx\r\n250 STARTTLS\r\n'
  t.same(show(play(behaviour, {}, [command(1, 'EHLO c'), reply(1, offer), WAKE])), [
    'command 1 "EHLO c\\r\\n"',
    `reply 1 ${JSON.stringify(offer)}`,
  ])
  t.same(show(play(behaviour, {}, [...BEGUN, command(4, 'EHLO c'), reply(4, offer)])).slice(5), [
    'command 4 "EHLO c\\r\\n"',
    'reply 4 "250 mx\\r\\n"',
  ])
})
