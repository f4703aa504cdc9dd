import t from 'tap'
import type { Content } from '../wire/units.ts'
import { behaviour } from './challenge-scram.ts'
import { command, play, show } from './playbook.ts'

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64')
const line = (text: string): Content => ({
  type: 'content',
  id: 2,
  of: 'AUTH',
  bytes: Buffer.from(`${base64(text)}\r\n`, 'latin1'),
  last: true,
  secured: false,
})
const FIRST = 'n,,n=user,r=abc'
const CHALLENGE = `reply 2 "334 ${base64(`r=abcbadmx-server-nonce,s=${base64('badmx salt 16 oc')},i=4096`)}\\r\\n" more follows`
const END = ['fired took the proof of SCRAM', 'reply 2 "535 5.7.8 Authentication credentials invalid\\r\\n"']

t.test('challenges with the nonce of the client, and takes the proof', async (t) => {
  const begun = command(2, `AUTH SCRAM-SHA-256 ${base64(FIRST)}`)
  t.same(show(play(behaviour, {}, [begun, line('c=biws,r=x,p=cHJvb2Y=')])), [
    'opportunity AUTH SCRAM-SHA-256',
    CHALLENGE,
    ...END,
  ])
})

t.test('asks for the first message where there is no initial response', async (t) => {
  const played = show(play(behaviour, {}, [command(2, 'AUTH SCRAM-SHA-1'), line(FIRST), line('p')]))
  t.same(played, ['opportunity AUTH SCRAM-SHA-1', 'reply 2 "334 \\r\\n" more follows', CHALLENGE, ...END])
})

t.test('refuses what is no SCRAM message, and lets other mechanisms pass', async (t) => {
  t.same(
    show(play(behaviour, {}, [command(2, 'AUTH SCRAM-SHA-256 AAAA')])).at(-1),
    'reply 2 "501 5.5.2 No SCRAM message\\r\\n"',
  )
  const plain = command(2, 'AUTH PLAIN AAAA')
  t.same(play(behaviour, {}, [plain, line('x')]), [plain, line('x')])
})
