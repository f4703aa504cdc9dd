import t from 'tap'
import { behaviour } from './answer-ahead.ts'
import { command, play, reply, show } from './playbook.ts'

const BANNER = reply(0, '220 mx ESMTP\r\n')

t.test('the whole session in one piece, and no answer to any command', async (t) => {
  const replies = [
    [250, '{host}'],
    [221, 'bye'],
  ]
  t.same(show(play(behaviour, { replies }, [BANNER, command(1, 'EHLO c'), command(2, 'QUIT')])), [
    'opportunity the banner was due',
    'fired sent 2 replies behind the banner',
    'reply 0 "220 mx ESMTP\\r\\n250 mx.badmx.test\\r\\n221 bye\\r\\n"',
    'reply 1 ""',
    'close client fin',
  ])
})

t.test('silent until the banner', async (t) => {
  t.same(play(behaviour, {}, [command(1, 'EHLO c')]), [command(1, 'EHLO c')])
})
