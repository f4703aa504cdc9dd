import t from 'tap'
import { behaviour } from './annotate-replies.ts'
import { command, play, reply, show } from './playbook.ts'

t.test('puts its text behind the last line, before the line end', async (t) => {
  t.same(show(play(behaviour, { text: ' %n' }, [reply(0, '220-a\r\n220 mx\r\n')])), [
    'opportunity a reply 220',
    'fired added " %n" was "220-a\\r\\n220 mx\\r\\n"',
    'reply 0 "220-a\\r\\n220 mx %n\\r\\n"',
  ])
  const mail = [command(3, 'MAIL FROM:<a@b>'), reply(3, '250 ok\r\n')]
  t.equal(show(play(behaviour, { mail: '\r250 x' }, mail)).at(-1), 'reply 3 "250 ok\\r250 x\\r\\n"')
  t.equal(show(play(behaviour, {}, mail)).at(-1), 'reply 3 "250 ok %n%s%x\\r\\n"')
})

t.test('keywords and challenges stay as they are', async (t) => {
  const ehlo = [command(1, 'EHLO c'), reply(1, '250 mx\r\n')]
  const auth = [command(2, 'AUTH LOGIN'), reply(2, '334 VXNlcg==\r\n')]
  t.same(play(behaviour, {}, [...ehlo, ...auth]), [...ehlo, ...auth])
  t.same(show(play(behaviour, { text: '', mail: 'x' }, [reply(0, '220 mx\r\n')])), ['reply 0 "220 mx\\r\\n"'])
})
