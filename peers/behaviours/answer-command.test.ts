import t from 'tap'
import { behaviour } from './answer-command.ts'
import { command, play, show } from './playbook.ts'

t.test('answers the named commands, in the named channel', async (t) => {
  t.same(show(play(behaviour, { in: 'clear', text: 'first TLS' }, [command(3, 'MAIL FROM:<a@b>')])), [
    'opportunity MAIL in clear',
    'fired answered MAIL in clear with 530',
    'reply 3 "530 first TLS\\r\\n"',
  ])
  t.same(show(play(behaviour, { in: 'clear' }, [command(3, 'MAIL FROM:<a@b>', true)])), [
    'command 3 "MAIL FROM:<a@b>\\r\\n"',
  ])
  t.match(show(play(behaviour, { verbs: ['RCPT'], in: 'tls' }, [command(4, 'RCPT TO:<a@b>', true)])), [
    'opportunity RCPT inside TLS',
  ])
})

t.test('a star is every command but QUIT', async (t) => {
  const given = { verbs: ['*'], code: 554, text: 'no' }
  t.same(show(play(behaviour, given, [command(1, 'EHLO c'), command(2, 'NOOP'), command(3, 'QUIT')])), [
    'opportunity EHLO in clear',
    'fired answered EHLO in clear with 554',
    'reply 1 "554 no\\r\\n"',
    'opportunity NOOP in clear',
    'fired answered NOOP in clear with 554',
    'reply 2 "554 no\\r\\n"',
    'command 3 "QUIT\\r\\n"',
  ])
})

t.test('ends the connection after the reply, and nothing follows', async (t) => {
  const given = { verbs: ['EHLO'], code: 421, text: 'closing', close: 'fin' }
  t.same(show(play(behaviour, given, [command(1, 'EHLO c'), command(2, 'MAIL FROM:<a@b>')])).slice(2), [
    'reply 1 "421 closing\\r\\n"',
    'close client fin',
  ])
})

t.test('silent for other commands and on other visits', async (t) => {
  t.same(play(behaviour, {}, [command(1, 'RCPT TO:<a@b>')]), [command(1, 'RCPT TO:<a@b>')])
  t.same(play(behaviour, { visits: '1' }, [command(1, 'MAIL FROM:<a@b>')], { visit: 2 }), [
    command(1, 'MAIL FROM:<a@b>'),
  ])
})
