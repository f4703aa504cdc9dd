import t from 'tap'
import { command, play, reply, show } from './playbook.ts'
import { behaviour } from './stop-reading.ts'

t.test('reads nothing more after the 354', async (t) => {
  t.same(show(play(behaviour, {}, [command(5, 'DATA', true), reply(5, '354 go\r\n', true)])), [
    'opportunity DATA arrived',
    'command 5 "DATA\\r\\n"',
    'reply 5 "354 go\\r\\n"',
    'stop-reading',
    'fired reads nothing more',
  ])
})

t.test('silent when DATA is refused, and for other commands', async (t) => {
  t.same(show(play(behaviour, {}, [command(5, 'DATA'), reply(5, '554 no\r\n')])).slice(2), ['reply 5 "554 no\\r\\n"'])
  t.same(play(behaviour, {}, [command(4, 'NOOP'), reply(4, '250 ok\r\n')]), [
    command(4, 'NOOP'),
    reply(4, '250 ok\r\n'),
  ])
})
