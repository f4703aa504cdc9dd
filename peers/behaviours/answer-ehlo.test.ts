import t from 'tap'
import { behaviour } from './answer-ehlo.ts'
import { command, play, show } from './playbook.ts'

t.test('answers EHLO by itself', async (t) => {
  const table: readonly [object, string, readonly string[]][] = [
    [{}, '500 5.5.1 Command unrecognized', []],
    [{ code: 354, text: 'go' }, '354 go', []],
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

t.test('HELO and EHLO inside TLS go on to the server', async (t) => {
  for (const event of [command(1, 'HELO c'), command(1, 'EHLO c', true)]) t.same(play(behaviour, {}, [event]), [event])
})
