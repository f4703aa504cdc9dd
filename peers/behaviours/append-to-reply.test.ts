import t from 'tap'
import { behaviour } from './append-to-reply.ts'
import { command, play, reply, show } from './playbook.ts'

t.test('behind the reply, in the same unit', async (t) => {
  const events = [command(1, 'EHLO c', true), reply(1, '250 mx\r\n', true)]
  t.same(show(play(behaviour, { in: 'tls', bytes: '\u0000x' }, events)).slice(1), [
    'opportunity the reply to EHLO passed inside TLS',
    'fired sent "\\u0000x" behind it was "250 mx\\r\\n"',
    'reply 1 "250 mx\\r\\n\\u0000x"',
  ])
})

t.test('silent for other replies and in the other channel', async (t) => {
  const others = [command(1, 'EHLO c'), reply(1, '250 mx\r\n'), command(2, 'NOOP', true), reply(2, '250 ok\r\n', true)]
  t.same(play(behaviour, { in: 'tls' }, others), others)
})
