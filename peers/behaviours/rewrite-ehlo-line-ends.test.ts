import t from 'tap'
import { command, play, reply, show } from './playbook.ts'
import { behaviour } from './rewrite-ehlo-line-ends.ts'

const OFFER = '250-mx\r\n250 STARTTLS\r\n'

t.test('every line of the reply', async (t) => {
  const table: readonly [object, string, string][] = [
    [{}, 'LF', '250-mx\n250 STARTTLS\n'],
    [{ to: 'cr' }, 'CR', '250-mx\r250 STARTTLS\r'],
  ]
  for (const [parameters, name, want] of table) {
    const outputs = show(play(behaviour, parameters, [command(1, 'EHLO c'), reply(1, OFFER)]))
    t.same(outputs.slice(2), [
      `fired ended 2 lines with a bare ${name} was ${JSON.stringify(OFFER)}`,
      `reply 1 ${JSON.stringify(want)}`,
    ])
  }
})

t.test('silent inside TLS and where nothing is offered', async (t) => {
  const inside = [command(1, 'EHLO c', true), reply(1, OFFER, true)]
  t.same(play(behaviour, {}, inside), inside)
  const outputs = play(behaviour, {}, [command(1, 'EHLO c'), reply(1, '250 mx\r\n')])
  t.notOk(outputs.some((output) => output.type === 'fired'))
})
