import t from 'tap'
import { behaviour } from './ignore-command.ts'
import { command, play, show } from './playbook.ts'

t.test('the command goes nowhere and gets no answer, and the server gives up later', async (t) => {
  const events = [command(6, 'QUIT', true), { type: 'wake', alarm: 'give up' } as const]
  t.same(show(play(behaviour, { in: 'tls' }, events)), [
    'opportunity QUIT inside TLS',
    'fired gave QUIT inside TLS no answer',
    'wake give up after 300000 ms scaled',
    'close client fin',
  ])
})

t.test('the end of the content gets no answer, what comes before it goes on', async (t) => {
  const content = (last: boolean, of: 'DATA' | 'AUTH' = 'DATA') =>
    ({ type: 'content', id: 5, of, bytes: Buffer.from('.\r\n'), last, secured: false }) as const
  const begun = content(false)
  t.same(play(behaviour, { verbs: ['.'] }, [begun]), [begun])
  t.same(show(play(behaviour, { verbs: ['.'] }, [content(true)])).slice(0, 2), [
    'opportunity the end of the content in clear',
    'fired gave the end of the content in clear no answer',
  ])
  t.same(play(behaviour, { verbs: ['.'] }, [content(true, 'AUTH')]).length, 1, 'a line of AUTH is none')
})

t.test('silent for other commands and in the other channel', async (t) => {
  for (const other of [command(6, 'QUIT'), command(5, 'NOOP', true)])
    t.same(play(behaviour, { in: 'tls' }, [other]), [other])
})
