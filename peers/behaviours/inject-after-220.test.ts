import t from 'tap'
import { behaviour } from './inject-after-220.ts'
import { command, play, reply, show } from './playbook.ts'

const STARTTLS = command(2, 'STARTTLS')
const GO = { ...reply(2, '220 go\r\n'), upgrade: { context: 'good', residue: 'drop' } as const }
const LONE = '220 go\r\n'.length

t.test('sends the octets with the 220, in one piece; TLS follows', async (t) => {
  t.same(show(play(behaviour, {}, [STARTTLS, GO])), [
    'opportunity STARTTLS arrived',
    'command 2 "STARTTLS\\r\\n"',
    'fired injected "250 2.0.0 injected\\r\\n" behind the 220 was "220 go\\r\\n"',
    'reply 2 "220 go\\r\\n250 2.0.0 injected\\r\\n" then TLS',
  ])
  t.same(
    show(play(behaviour, { bytes: '250 inj', reply: '220 x\0\r\n' }, [STARTTLS, GO])).at(-1),
    'reply 2 "220 x\\u0000\\r\\n250 inj" then TLS',
  )
})

t.test('fills the 220 to the octet with lines that RFC 5321 allows', async (t) => {
  for (const padTo of [0, LONE, LONE + 5, LONE + 6, LONE + 512, LONE + 513, LONE + 517, LONE + 1030, 65536]) {
    const [sent] = play(behaviour, { padTo, bytes: 'X' }, [STARTTLS, GO]).flatMap((output) =>
      output.type === 'reply' ? [output.bytes] : [],
    )
    const lines = (sent?.toString('latin1') ?? '').slice(0, -1).split('\r\n').slice(0, -1)
    const want = padTo < LONE + 6 ? LONE : padTo
    t.equal((sent?.length ?? 0) - 1, want, `${padTo} octets before what is injected`)
    t.ok(
      lines.every((line) => line.length <= 510),
      'no line is too long',
    )
    t.ok(lines.slice(0, -1).every((line) => /^220-\.*$/.test(line)) && lines.at(-1) === '220 go', 'one reply')
  }
})

t.test('injects nothing behind a refusal, nor inside TLS', async (t) => {
  t.same(show(play(behaviour, {}, [STARTTLS, reply(2, '454 no\r\n')])).slice(2), ['reply 2 "454 no\\r\\n"'])
  t.same(show(play(behaviour, {}, [command(2, 'STARTTLS', true), reply(2, '220 x\r\n', true)])), [
    'command 2 "STARTTLS\\r\\n"',
    'reply 2 "220 x\\r\\n"',
  ])
})
