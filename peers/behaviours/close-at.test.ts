import t from 'tap'
import type { Content, WireEvent } from '../wire/units.ts'
import { behaviour } from './close-at.ts'
import { command, play, reply, show } from './playbook.ts'

const UP: WireEvent = { type: 'tls', end: 'client', state: 'up' }
const content = (text: string, last: boolean, secured = true): Content => ({
  type: 'content',
  id: 5,
  of: 'DATA',
  bytes: Buffer.from(text),
  last,
  secured,
})
const go = { ...reply(5, '354 go\r\n', true), last: false }

t.test('at a command: no reply, and nothing of what follows', async (t) => {
  for (const [at, line] of [
    ['ehlo', 'EHLO c'],
    ['mail', 'MAIL FROM:<a@b>'],
    ['rcpt', 'RCPT TO:<a@b>'],
    ['data', 'DATA'],
    ['quit', 'QUIT'],
  ] as const)
    for (const how of ['fin', 'rst'] as const) {
      const [opportunity, fired, ...rest] = show(play(behaviour, { at, how }, [command(3, line), command(4, 'RSET')]))
      t.equal(opportunity, `opportunity ${at} in clear`)
      t.match(fired, new RegExp(`^fired ${how.toUpperCase()} instead of the reply to`))
      t.same(rest, [`close client ${how}`])
    }
})

t.test('replies to earlier commands go out first', async (t) => {
  const events = [command(3, 'MAIL FROM:<a@b>'), command(4, 'RCPT TO:<a@b>'), reply(3, '250 ok\r\n')]
  t.same(show(play(behaviour, { at: 'rcpt' }, events)), [
    'command 3 "MAIL FROM:<a@b>\\r\\n"',
    'opportunity rcpt in clear',
    'reply 3 "250 ok\\r\\n"',
    'fired FIN instead of the reply to RCPT',
    'close client fin',
  ])
})

t.test('when TLS is up, and behind the 354', async (t) => {
  t.same(show(play(behaviour, { at: 'tls-up' }, [UP, command(1, 'EHLO c', true), reply(1, '250 mx\r\n', true)])), [
    'opportunity tls up inside TLS',
    'fired FIN when TLS had come up',
    'close client fin',
  ])
  t.same(
    show(play(behaviour, { at: 'after-354' }, [command(5, 'DATA', true), go, content('x\r\n.\r\n', true)])).slice(1),
    [
      'reply 5 "354 go\\r\\n" more follows',
      'opportunity after 354 inside TLS',
      'fired FIN behind the 354',
      'close client fin',
    ],
  )
})

t.test('at the final dot, however the content is cut, the server gets none of it', async (t) => {
  const pieces = [content('x\r\n', false), content('.\r\n', true)]
  for (const events of [pieces, [content('x\r\n.\r\n', true)]])
    t.same(show(play(behaviour, { at: 'dot' }, [command(5, 'DATA', true), go, ...events])).slice(2), [
      'opportunity dot inside TLS',
      'fired FIN instead of the reply to the final dot',
      'close client fin',
    ])
})

t.test('behind the reply to the final dot, without close_notify', async (t) => {
  const events = [UP, command(5, 'DATA', true), go, content('x\r\n.\r\n', true), reply(5, '250 ok\r\n', true)]
  t.same(show(play(behaviour, { at: 'after-delivery', notify: false }, events)).slice(3), [
    'reply 5 "250 ok\\r\\n"',
    'opportunity after delivery inside TLS',
    'fired FIN without close_notify behind the reply to the final dot',
    'close client fin without notify',
  ])
  const refused = [...events.slice(0, 4), reply(5, '552 too big\r\n', true)]
  t.notOk(show(play(behaviour, { at: 'after-delivery' }, refused)).some((line) => line.startsWith('fired')))
})

t.test('silent in the other channel and at other moments', async (t) => {
  const others = [command(3, 'MAIL FROM:<a@b>'), reply(3, '250 ok\r\n'), command(5, 'DATA'), { ...go, secured: false }]
  t.same(play(behaviour, { at: 'mail', in: 'tls' }, others), others)
  t.same(play(behaviour, { at: 'after-354', in: 'tls' }, others), others)
  t.same(play(behaviour, { at: 'dot', in: 'tls' }, [content('.\r\n', true, false)]), [content('.\r\n', true, false)])
})
