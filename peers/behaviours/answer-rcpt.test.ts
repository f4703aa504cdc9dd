import t from 'tap'
import { behaviour } from './answer-rcpt.ts'
import { command, play, show } from './playbook.ts'

t.test('answers every RCPT by itself, in clear and inside TLS', async (t) => {
  for (const secured of [false, true]) {
    t.same(show(play(behaviour, { text: 'later' }, [command(4, 'RCPT TO:<a@b>', secured)])), [
      'opportunity RCPT',
      'fired answered RCPT with 451',
      'reply 4 "451 later\\r\\n"',
    ])
  }
})

t.test('silent for other commands and on other visits', async (t) => {
  t.same(play(behaviour, {}, [command(1, 'MAIL FROM:<a@b>')]), [command(1, 'MAIL FROM:<a@b>')])
  t.same(play(behaviour, { visits: '1' }, [command(1, 'RCPT TO:<a@b>')], { visit: 2 }), [command(1, 'RCPT TO:<a@b>')])
})
