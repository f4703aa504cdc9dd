import t from 'tap'
import { behaviour } from './drop-on-ehlo.ts'
import { command, play, show } from './playbook.ts'

t.test('ends the connection without a reply', async (t) => {
  for (const how of ['fin', 'rst']) {
    t.same(show(play(behaviour, { how }, [command(1, 'EHLO c')])), [
      'opportunity EHLO in clear',
      `fired ${how.toUpperCase()} instead of the reply to EHLO`,
      `close client ${how}`,
    ])
  }
})

t.test('HELO and EHLO inside TLS go on to the server', async (t) => {
  for (const event of [command(1, 'HELO c'), command(1, 'EHLO c', true)]) t.same(play(behaviour, {}, [event]), [event])
})
