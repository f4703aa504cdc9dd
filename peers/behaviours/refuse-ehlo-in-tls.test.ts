import t from 'tap'
import { command, play, show } from './playbook.ts'
import { behaviour } from './refuse-ehlo-in-tls.ts'

t.test('refuses EHLO inside TLS by itself', async (t) => {
  t.same(show(play(behaviour, {}, [command(3, 'EHLO c', true)])), [
    'opportunity EHLO arrived inside TLS',
    'fired refused EHLO inside TLS with 550',
    'reply 3 "550 5.7.1 Access denied\\r\\n"',
  ])
})

t.test('leaves EHLO in clear and HELO alone', async (t) => {
  t.same(show(play(behaviour, {}, [command(1, 'EHLO c'), command(3, 'HELO c', true)])), [
    'command 1 "EHLO c\\r\\n"',
    'command 3 "HELO c\\r\\n"',
  ])
})
