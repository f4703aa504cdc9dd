import t from 'tap'
import type { WireEvent } from '../wire/units.ts'
import { command, play, reply, show } from './playbook.ts'
import { behaviour } from './send-unasked-reply.ts'

const UP: WireEvent = { type: 'tls', end: 'client', state: 'up' }

t.test('when TLS has come up after STARTTLS', async (t) => {
  t.same(show(play(behaviour, {}, [command(2, 'STARTTLS'), UP])).slice(1), [
    'opportunity TLS is up',
    'fired sent "220 mx.badmx.test ESMTP\\r\\n" unasked',
    'reply null "220 mx.badmx.test ESMTP\\r\\n"',
  ])
  t.same(play(behaviour, {}, [UP]), [], 'not where TLS came with the connection: there the banner is due')
})

t.test('behind the acceptance of a message, and the end', async (t) => {
  const given = { when: 'after-delivery', reply: '421 bye\r\n', close: 'fin' }
  const go = { ...reply(5, '354 go\r\n', true), last: false }
  const events = [command(5, 'DATA', true), go, reply(5, '250 ok\r\n', true), command(6, 'QUIT', true)]
  t.same(show(play(behaviour, given, events)).slice(2), [
    'reply 5 "250 ok\\r\\n"',
    'opportunity a message was accepted inside TLS',
    'fired sent "421 bye\\r\\n" unasked',
    'reply null "421 bye\\r\\n"',
    'close client fin',
  ])
  const refused = [command(5, 'DATA', true), go, reply(5, '451 later\r\n', true), UP]
  t.same(play(behaviour, given, refused), refused.slice(0, 3))
})
