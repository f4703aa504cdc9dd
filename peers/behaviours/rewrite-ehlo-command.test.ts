import t from 'tap'
import { command, play, show } from './playbook.ts'
import { behaviour } from './rewrite-ehlo-command.ts'

t.test('another verb, the same argument', async (t) => {
  const table: readonly [object, string, string, string][] = [
    [{}, 'EHLO c.example', 'XXXX', 'XXXX c.example'],
    [{ verb: 'HELO' }, 'ehlo c.example', 'HELO', 'HELO c.example'],
    [{}, 'EHLO', 'XXXX', 'XXXX'],
  ]
  for (const [parameters, line, verb, want] of table) {
    const outputs = play(behaviour, parameters, [command(1, line)])
    t.same(show(outputs), [
      'opportunity EHLO in clear',
      `fired wrote ${verb} for EHLO was ${JSON.stringify(`${line}\r\n`)}`,
      `command 1 ${JSON.stringify(`${want}\r\n`)}`,
    ])
    t.match(outputs[2], { verb, argument: line.slice(5) }, 'the parsed fields follow')
  }
})

t.test('silent for HELO and inside TLS', async (t) => {
  for (const event of [command(1, 'HELO c'), command(1, 'EHLO c', true)]) t.same(play(behaviour, {}, [event]), [event])
})
