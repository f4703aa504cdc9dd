import t from 'tap'
import type { Content } from '../wire/units.ts'
import { behaviour } from './answer-auth.ts'
import { command, play, show } from './playbook.ts'

const PLAIN = command(3, 'AUTH PLAIN AGEAYg==')
const line: Content = {
  type: 'content',
  id: 3,
  of: 'AUTH',
  bytes: Buffer.from('YQ==\r\n'),
  last: true,
  secured: false,
}

t.test('refuses AUTH by itself', async (t) => {
  t.same(show(play(behaviour, { code: 530, text: '5.7.0 first TLS' }, [PLAIN])), [
    'opportunity AUTH PLAIN in clear',
    'fired answered AUTH PLAIN with 530',
    'reply 3 "530 5.7.0 first TLS\\r\\n"',
  ])
})

t.test('a challenge is no last word, and its answer is refused', async (t) => {
  t.same(show(play(behaviour, { code: 334, text: '' }, [PLAIN, line])).slice(2), [
    'reply 3 "334 \\r\\n" more follows',
    'reply 3 "535 5.7.8 Authentication credentials invalid\\r\\n"',
  ])
})

t.test('silent for other mechanisms, layers, visits and commands', async (t) => {
  t.same(play(behaviour, { mechanisms: ['LOGIN'] }, [PLAIN, line]), [PLAIN, line])
  t.same(play(behaviour, { where: 'tls' }, [PLAIN]), [PLAIN])
  t.same(play(behaviour, { visits: '1' }, [PLAIN], { visit: 2 }), [PLAIN])
  t.same(play(behaviour, {}, [command(1, 'EHLO c')]), [command(1, 'EHLO c')])
})
