import t from 'tap'
import type { Upgrade } from '../wire/units.ts'
import { command, play, reply, show } from './playbook.ts'
import { behaviour } from './rewrite-220-reply.ts'

const upgrade: Upgrade = { context: 'good', residue: 'drop' }
const STARTTLS = command(2, 'STARTTLS')

t.test('writes the 220 anew; TLS follows it all the same', async (t) => {
  t.same(show(play(behaviour, { reply: '220\r\n' }, [STARTTLS, { ...reply(2, '220 go\r\n'), upgrade }])), [
    'opportunity STARTTLS arrived',
    'command 2 "STARTTLS\\r\\n"',
    'fired wrote the 220 as "220\\r\\n" was "220 go\\r\\n"',
    'reply 2 "220\\r\\n" then TLS',
  ])
})

t.test('leaves refusals, other replies and STARTTLS inside TLS alone', async (t) => {
  t.same(show(play(behaviour, {}, [STARTTLS, reply(2, '454 no\r\n')])).slice(2), ['reply 2 "454 no\\r\\n"'])
  t.same(show(play(behaviour, {}, [reply(0, '220 mx\r\n'), command(2, 'STARTTLS', true), reply(2, '220 x\r\n')])), [
    'reply 0 "220 mx\\r\\n"',
    'command 2 "STARTTLS\\r\\n"',
    'reply 2 "220 x\\r\\n"',
  ])
})
