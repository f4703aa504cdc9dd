import t from 'tap'
import { behaviour } from './cut-reply.ts'
import { command, play, reply, show } from './playbook.ts'

t.test('the reply to the final dot, not the 354', async (t) => {
  const go = { ...reply(5, '354 go\r\n', true), last: false }
  const events = [command(5, 'DATA', true), go, reply(5, '250 2.0.0 ok\r\n', true), command(6, 'QUIT', true)]
  t.same(show(play(behaviour, {}, events)), [
    'command 5 "DATA\\r\\n"',
    'reply 5 "354 go\\r\\n" more follows',
    'opportunity the final dot inside TLS',
    'fired cut the reply to the final dot after 7 of 14 octets was "250 2.0.0 ok\\r\\n"',
    'reply 5 "250 2.0"',
    'close client fin without notify',
  ])
})

t.test('the line end never leaves', async (t) => {
  const events = [command(1, 'EHLO c'), reply(1, '250 mx\r\n')]
  t.same(show(play(behaviour, { to: 'EHLO', keep: 100 }, events)).slice(-2), ['reply 1 "250 mx"', 'close client fin'])
})

t.test('silent for other replies and in the other channel', async (t) => {
  const others = [command(1, 'EHLO c'), reply(1, '250 mx\r\n'), command(2, 'DATA'), reply(2, '503 no\r\n')]
  t.same(play(behaviour, { in: 'tls' }, others), others)
  t.same(play(behaviour, {}, others.slice(0, 2)), others.slice(0, 2))
})
