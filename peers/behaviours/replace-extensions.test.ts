import t from 'tap'
import { command, play, reply, show } from './playbook.ts'
import { behaviour } from './replace-extensions.ts'

const OFFER = '250-mx\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 SIZE 10\r\n'
const PLACES = { beforeTls: ['AUTH LOGIN'], afterTls: ['AUTH SCRAM-SHA-256', '8BITMIME'] }

t.test('offers one list in clear and another inside TLS; STARTTLS stays where it was', async (t) => {
  t.same(show(play(behaviour, PLACES, [command(1, 'EHLO c'), reply(1, OFFER)])).slice(1), [
    'opportunity the EHLO reply passed in clear',
    `fired offered AUTH LOGIN in clear was ${JSON.stringify(OFFER)}`,
    'reply 1 "250-mx\\r\\n250-AUTH LOGIN\\r\\n250 STARTTLS\\r\\n"',
  ])
  t.same(
    show(play(behaviour, PLACES, [command(3, 'EHLO c', true), reply(3, OFFER, true)])).at(-1),
    'reply 3 "250-mx\\r\\n250-AUTH SCRAM-SHA-256\\r\\n250 8BITMIME\\r\\n"',
  )
  t.same(show(play(behaviour, { beforeTls: [] }, [command(1, 'EHLO c'), reply(1, '250 mx\r\n')])).slice(2), [
    'fired offered nothing in clear was "250 mx\\r\\n"',
    'reply 1 "250 mx\\r\\n"',
  ])
})

t.test('leaves refusals and the replies to other commands alone', async (t) => {
  t.same(
    show(
      play(behaviour, {}, [
        command(1, 'EHLO c'),
        reply(1, '500-x\r\n500 STARTTLS\r\n'),
        command(2, 'NOOP'),
        reply(2, '250 ok\r\n'),
      ]),
    ),
    [
      'command 1 "EHLO c\\r\\n"',
      'reply 1 "500-x\\r\\n500 STARTTLS\\r\\n"',
      'command 2 "NOOP\\r\\n"',
      'reply 2 "250 ok\\r\\n"',
    ],
  )
})
