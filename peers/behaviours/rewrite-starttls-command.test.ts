import t from 'tap'
import type { WireEvent } from '../wire/units.ts'
import { command, play, reply, show } from './playbook.ts'
import { behaviour } from './rewrite-starttls-command.ts'

const STARTTLS = command(2, 'starttls')
const HELLO: WireEvent = { type: 'bytes', from: 'client', bytes: Buffer.from('1603010005010000010a', 'hex') }

t.test('turns the command into another, in any case, and lets its reply come back', async (t) => {
  const table: readonly [object, string, string][] = [
    [{}, 'XXXXXXXX', '500 what\r\n'],
    [{ to: 'NOOP' }, 'NOOP', '250 ok\r\n'],
    [{ to: 'STARTTLS now' }, 'STARTTLS now', '501 no\r\n'],
  ]
  for (const [parameters, line, answer] of table) {
    t.same(show(play(behaviour, parameters, [STARTTLS, reply(2, answer)])), [
      'opportunity STARTTLS arrived',
      `fired turned STARTTLS into "${line}" was "starttls\\r\\n"`,
      `command 2 "${line}\\r\\n"`,
      'opaque',
      `reply 2 ${JSON.stringify(answer)}`,
    ])
  }
  const [, , sent] = play(behaviour, { to: 'starttls  now' }, [STARTTLS])
  t.match(sent, { verb: 'STARTTLS', argument: 'now' })
})

t.test('speaks in clear with the client from there on', async (t) => {
  const text: WireEvent = { type: 'bytes', from: 'client', bytes: Buffer.from('MAIL FROM:<a@b>\r\n') }
  t.same(show(play(behaviour, {}, [STARTTLS, reply(2, '500 what\r\n'), HELLO, text])).slice(5), [
    'reply null "500 5.5.2 Syntax error, command unrecognized\\r\\n"',
    'command 3 "MAIL FROM:<a@b>\\r\\n"',
  ])
})

t.test('stands back where the server says 220, and acts only once and in clear', async (t) => {
  t.same(show(play(behaviour, {}, [STARTTLS, reply(2, '220 go\r\n'), HELLO])).slice(3), [
    'reply 2 "220 go\\r\\n"',
    `bytes from client ${JSON.stringify('\x16\x03\x01\0\x05\x01\0\0\x01\n')}`,
  ])
  t.same(show(play(behaviour, {}, [STARTTLS, command(3, 'STARTTLS')])).slice(3), ['command 3 "STARTTLS\\r\\n"'])
  t.same(show(play(behaviour, {}, [command(2, 'STARTTLS', true)])), ['command 2 "STARTTLS\\r\\n"'])
})
