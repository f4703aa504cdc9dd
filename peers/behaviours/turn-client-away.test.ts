import t from 'tap'
import { command, play, reply, show } from './playbook.ts'
import { behaviour } from './turn-client-away.ts'

const banner = reply(0, '220 mx.badmx.test ESMTP\r\n')

t.test('a banner of 554, 503 to anything but QUIT', async (t) => {
  const events = [banner, command(1, 'EHLO c'), command(2, 'STARTTLS'), command(3, 'QUIT'), reply(3, '221 bye\r\n')]
  t.same(show(play(behaviour, { text: 'no' }, events)), [
    'opportunity a connection from 198.18.0.1',
    'fired turned 198.18.0.1 away with 554 was "220 mx.badmx.test ESMTP\\r\\n"',
    'reply 0 "554 no\\r\\n"',
    'reply 1 "503 5.5.1 Bad sequence of commands\\r\\n"',
    'reply 2 "503 5.5.1 Bad sequence of commands\\r\\n"',
    'command 3 "QUIT\\r\\n"',
    'reply 3 "221 bye\\r\\n"',
  ])
})

t.test('by address', async (t) => {
  const given = { addresses: ['192.0.2.', '2001:db8:'] }
  t.same(play(behaviour, given, [banner, command(1, 'EHLO c')]), [banner, command(1, 'EHLO c')])
  const away = play(behaviour, given, [banner], { clientAddress: '2001:db8::7' })
  t.match(show(away)[1], 'turned 2001:db8::7 away')
})
