import t from 'tap'
import type { Content } from '../wire/units.ts'
import { command, play, show } from './playbook.ts'
import { behaviour } from './repeat-challenge.ts'

const line = (text: string): Content => ({
  type: 'content',
  id: 5,
  of: 'AUTH',
  bytes: Buffer.from(`${text}\r\n`),
  last: true,
  secured: true,
})
const AUTH = command(5, 'AUTH LOGIN', true)

t.test('challenges again and again, and ends the connection', async (t) => {
  t.same(show(play(behaviour, { rounds: 2, challenge: 'QQ==' }, [AUTH, line('a'), line('b')])), [
    'opportunity AUTH arrived',
    'fired began to challenge without end',
    'reply 5 "334 QQ==\\r\\n" more follows',
    'reply 5 "334 QQ==\\r\\n" more follows',
    'fired ended the connection after 2 challenges',
    'reply 5 "421 4.7.0 Too many challenges\\r\\n"',
    'close client fin',
  ])
})

t.test('a client may cancel', async (t) => {
  t.same(show(play(behaviour, {}, [AUTH, line('*')])).at(-1), 'reply 5 "501 5.7.0 Authentication cancelled\\r\\n"')
})

t.test('silent without AUTH', async (t) => {
  t.same(play(behaviour, {}, [command(1, 'EHLO c'), line('x')]), [command(1, 'EHLO c'), line('x')])
})
