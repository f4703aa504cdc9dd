import t from 'tap'
import { behaviour } from './offer-starttls-in-tls.ts'
import { command, play, reply, show } from './playbook.ts'

t.test('the EHLO reply inside TLS has it as its last line', async (t) => {
  const events = [command(3, 'EHLO c', true), reply(3, '250-mx\r\n250 SIZE 1\r\n', true)]
  t.same(show(play(behaviour, {}, events)).slice(1), [
    'opportunity the EHLO reply passed inside TLS',
    'fired offered STARTTLS inside TLS was "250-mx\\r\\n250 SIZE 1\\r\\n"',
    'reply 3 "250-mx\\r\\n250-SIZE 1\\r\\n250 STARTTLS\\r\\n"',
  ])
})

t.test('a client that asks is refused, or not', async (t) => {
  for (const [accept, answer] of [
    [false, '503 5.5.1 TLS is active'],
    [true, '220 2.0.0 Ready to start TLS'],
  ] as const)
    t.same(show(play(behaviour, { accept }, [command(4, 'STARTTLS', true)])), [
      `fired answered STARTTLS inside TLS with ${answer.slice(0, 3)}`,
      `reply 4 "${answer}\\r\\n"`,
    ])
})

t.test('silent in clear', async (t) => {
  const others = [command(1, 'EHLO c'), reply(1, '250-mx\r\n250 STARTTLS\r\n'), command(2, 'STARTTLS')]
  t.same(play(behaviour, {}, others), others)
})
