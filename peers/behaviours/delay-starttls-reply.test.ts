import t from 'tap'
import type { WireEvent } from '../wire/units.ts'
import { behaviour } from './delay-starttls-reply.ts'
import { command, play, reply, show } from './playbook.ts'

const WAKE: WireEvent = { type: 'wake', alarm: 'release' }

t.test('keeps the reply back, whole, until its alarm', async (t) => {
  const go = { ...reply(2, '220 go\r\n'), upgrade: { context: 'good', residue: 'drop' } as const }
  t.same(show(play(behaviour, { seconds: 7 }, [command(2, 'STARTTLS'), go, reply(null, '421 x\r\n'), WAKE])), [
    'opportunity STARTTLS arrived',
    'command 2 "STARTTLS\\r\\n"',
    'fired kept the reply to STARTTLS back for 7 s was "220 go\\r\\n"',
    'wake release after 7000 ms scaled',
    'reply null "421 x\\r\\n"',
    'reply 2 "220 go\\r\\n" then TLS',
  ])
})

t.test('leaves other commands alone', async (t) => {
  t.same(show(play(behaviour, {}, [command(1, 'EHLO c'), reply(1, '250 mx\r\n'), WAKE])), [
    'command 1 "EHLO c\\r\\n"',
    'reply 1 "250 mx\\r\\n"',
  ])
})
