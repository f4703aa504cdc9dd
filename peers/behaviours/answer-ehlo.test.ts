import t from 'tap'
import { behaviour } from './answer-ehlo.ts'
import { command, play, reply, show } from './playbook.ts'

t.test('refuses EHLO by itself', async (t) => {
  const table: readonly [object, string, readonly string[]][] = [
    [{}, '500 5.5.1 Command unrecognized', []],
    [{ code: 421, text: 'bye', close: 'fin' }, '421 bye', ['close client fin']],
  ]
  for (const [parameters, line, rest] of table) {
    t.same(show(play(behaviour, parameters, [command(1, 'EHLO c')])), [
      'opportunity EHLO in clear',
      `fired answered EHLO with ${line.slice(0, 3)}`,
      `reply 1 ${JSON.stringify(`${line}\r\n`)}`,
      ...rest,
    ])
  }
})

t.test('puts another code in the place of the reply', async (t) => {
  const greeting = '250-mx.test\r\n250 STARTTLS\r\n'
  const events = [command(1, 'EHLO c'), reply(1, greeting), command(2, 'MAIL FROM:<a@b>'), reply(2, '250 ok\r\n')]
  t.same(show(play(behaviour, { code: 354, text: 'go' }, events)), [
    'opportunity EHLO in clear',
    'command 1 "EHLO c\\r\\n"',
    'fired answered EHLO with 354 was "250-mx.test\\r\\n250 STARTTLS\\r\\n"',
    'reply 1 "354 go\\r\\n"',
    'command 2 "MAIL FROM:<a@b>\\r\\n"',
    'reply 2 "250 ok\\r\\n"',
  ])
})

t.test('HELO and EHLO inside TLS go on to the server', async (t) => {
  for (const event of [command(1, 'HELO c'), command(1, 'EHLO c', true)]) t.same(play(behaviour, {}, [event]), [event])
})
