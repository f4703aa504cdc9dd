import t from 'tap'
import type { WireEvent } from '../wire/units.ts'
import { command, play, reply, show } from './playbook.ts'
import { behaviour } from './withhold-ehlo-reply.ts'

const WAKE: WireEvent = { type: 'wake', alarm: 'release' }
const EHLO = command(3, 'EHLO c', true)
const OFFER = reply(3, '250 mx\r\n', true)
const HELD = [
  'opportunity EHLO arrived inside TLS',
  'fired withheld the EHLO reply',
  'wake release after 3000 ms wall',
  'command 3 "EHLO c\\r\\n"',
]
const REFUSED = '503 5.5.1 This command came before the reply that it rests on\\r\\n'

t.test('keeps the reply back until its alarm; a patient client then goes on', async (t) => {
  const events = [
    EHLO,
    OFFER,
    WAKE,
    command(4, 'MAIL FROM:<a@b>', true),
    command(5, 'EHLO c', true),
    reply(5, '250 mx\r\n', true),
  ]
  t.same(show(play(behaviour, {}, events)), [
    ...HELD,
    'fired released the EHLO reply after 3000 ms; no command came before',
    'reply 3 "250 mx\\r\\n"',
    'command 4 "MAIL FROM:<a@b>\\r\\n"',
    'command 5 "EHLO c\\r\\n"',
    'reply 5 "250 mx\\r\\n"',
  ])
})

t.test('lets nothing through that came too early, and accepts nothing after it', async (t) => {
  const chunk = { type: 'content', id: 5, of: 'BDAT', bytes: Buffer.from('x'), last: true, secured: true } as const
  const events = [
    EHLO,
    command(4, 'MAIL FROM:<a@b>', true),
    OFFER,
    command(5, 'BDAT 1', true),
    chunk,
    WAKE,
    command(6, 'RCPT TO:<a@b>', true),
    command(7, 'QUIT', true),
  ]
  t.same(show(play(behaviour, {}, events)), [
    ...HELD,
    'fired released the EHLO reply after 3000 ms; MAIL, BDAT came before',
    'reply 3 "250 mx\\r\\n"',
    `reply 4 "${REFUSED}"`,
    `reply 5 "${REFUSED}"`,
    `reply 6 "${REFUSED}"`,
    'command 7 "QUIT\\r\\n"',
  ])
})

t.test('a client that says QUIT meanwhile has done nothing wrong', async (t) => {
  const events = [EHLO, OFFER, command(4, 'QUIT', true), WAKE, command(5, 'MAIL FROM:<a@b>', true)]
  t.same(show(play(behaviour, {}, events)).slice(4), [
    'fired released the EHLO reply after 3000 ms; QUIT came before',
    'reply 3 "250 mx\\r\\n"',
    'command 4 "QUIT\\r\\n"',
    'command 5 "MAIL FROM:<a@b>\\r\\n"',
  ])
})

t.test('watches HELO too, for as long as it is told, and nothing in clear', async (t) => {
  t.same(show(play(behaviour, { withholdMs: 500 }, [command(3, 'HELO c', true)])).slice(0, 3), [
    'opportunity HELO arrived inside TLS',
    'fired withheld the HELO reply',
    'wake release after 500 ms wall',
  ])
  t.same(show(play(behaviour, {}, [command(1, 'EHLO c'), reply(1, '250 mx\r\n'), WAKE])), [
    'command 1 "EHLO c\\r\\n"',
    'reply 1 "250 mx\\r\\n"',
  ])
})
