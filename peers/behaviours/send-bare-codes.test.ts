import t from 'tap'
import { command, play, reply, show } from './playbook.ts'
import { behaviour } from './send-bare-codes.ts'

const EHLO = reply(1, '250-mx\r\n250 STARTTLS\r\n')
const ONE = { ...reply(2, '220 2.0.0 go\r\n'), upgrade: { context: 'host', residue: 'drop' } as const }

t.test('one line more at the end of a multi-line reply', async (t) => {
  t.same(show(play(behaviour, {}, [EHLO])), [
    'opportunity a reply 250',
    'fired ended it with the code alone was "250-mx\\r\\n250 STARTTLS\\r\\n"',
    'reply 1 "250-mx\\r\\n250-STARTTLS\\r\\n250\\r\\n"',
  ])
  t.equal(show(play(behaviour, { blank: true }, [EHLO])).at(-1), 'reply 1 "250-mx\\r\\n250-STARTTLS\\r\\n250 \\r\\n"')
})

t.test('single lines are left alone, or lose their text; TLS still follows its 220', async (t) => {
  t.same(play(behaviour, {}, [ONE]), [ONE])
  t.equal(show(play(behaviour, { replies: 'all' }, [ONE])).at(-1), 'reply 2 "220\\r\\n" then TLS')
})

t.test('silent for commands', async (t) => {
  t.same(play(behaviour, { replies: 'all' }, [command(1, 'NOOP')]), [command(1, 'NOOP')])
})
