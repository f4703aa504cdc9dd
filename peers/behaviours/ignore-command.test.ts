import t from 'tap'
import { behaviour } from './ignore-command.ts'
import { command, play, show } from './playbook.ts'

t.test('the command goes nowhere and gets no answer', async (t) => {
  t.same(show(play(behaviour, { in: 'tls' }, [command(6, 'QUIT', true)])), [
    'opportunity QUIT inside TLS',
    'fired gave QUIT inside TLS no answer',
  ])
})

t.test('silent for other commands and in the other channel', async (t) => {
  for (const other of [command(6, 'QUIT'), command(5, 'NOOP', true)])
    t.same(play(behaviour, { in: 'tls' }, [other]), [other])
})
