import t from 'tap'
import type { WireEvent } from '../wire/units.ts'
import { behaviour } from './answer-starttls.ts'
import { command, play, reply, show } from './playbook.ts'

const STARTTLS = command(2, 'STARTTLS')
const HELLO = Buffer.from('1603010005010000010a', 'hex')
const ALERT = Buffer.from('15030300020228', 'hex')
const GO = '220 Ready\r\n'
const SEEN = ['opportunity STARTTLS arrived', 'opaque']
const bytes = (octets: Buffer | string): WireEvent => ({
  type: 'bytes',
  from: 'client',
  bytes: Buffer.from(octets as string, 'latin1'),
})

t.test('answers once with the octets asked for, and may end the connection', async (t) => {
  const table: readonly [string, object, string[]][] = [
    [
      'by default',
      {},
      [
        'fired answered STARTTLS with "454 4.7.0 TLS not available due to temporary reason\\r\\n"',
        'reply 2 "454 4.7.0 TLS not available due to temporary reason\\r\\n"',
      ],
    ],
    ['no reply', { reply: '' }, ['fired gave STARTTLS no reply', 'reply 2 ""']],
    [
      'RST for a reply',
      { reply: '', close: 'rst' },
      ['fired gave STARTTLS no reply', 'reply 2 ""', 'close client rst'],
    ],
    [
      '220 then FIN',
      { reply: GO, close: 'fin' },
      ['fired answered STARTTLS with "220 Ready\\r\\n"', 'reply 2 "220 Ready\\r\\n"', 'close client fin'],
    ],
    [
      'closes later',
      { reply: GO, close: 'fin', closeAfter: 'hello' },
      ['fired answered STARTTLS with "220 Ready\\r\\n"', 'reply 2 "220 Ready\\r\\n"'],
    ],
    ['octets', { reply: '\xff\0' }, ['fired answered STARTTLS with "ÿ\\u0000"', 'reply 2 "ÿ\\u0000"']],
  ]
  for (const [name, parameters, want] of table)
    t.same(show(play(behaviour, parameters, [STARTTLS])), [...SEEN, ...want], name)
})

t.test('tells the code of its answer: that of the last line', async (t) => {
  const codes = ['220-a\r\n454 b\r\n', '334 VXNlcm5hbWU6\r\n', '220\r\n', 'XYZ garbage\r\n', '\r\n', '9 x\r\n'].map(
    (text) =>
      play(behaviour, { reply: text }, [STARTTLS]).flatMap((output) => (output.type === 'reply' ? [output.code] : [])),
  )
  t.same(codes.flat(), [454, 334, 220, 0, 0, 0])
})

t.test('answers a ClientHello in clear, once, whatever the segments', async (t) => {
  const after = [
    'fired answered the ClientHello with "500 no TLS\\r\\n"',
    'reply null "500 no TLS\\r\\n"',
    'close client fin',
  ]
  const parameters = { reply: GO, toHello: '500 no TLS\r\n', close: 'fin', closeAfter: 'hello' }
  const sent = Buffer.concat([HELLO, HELLO, ALERT])
  for (let at = 0; at <= sent.length; at += 1) {
    const events = [STARTTLS, bytes(sent.subarray(0, at)), bytes(sent.subarray(at))]
    t.same(show(play(behaviour, parameters, events)).slice(4), after, `split at ${at}`)
  }
  t.same(show(play(behaviour, { toHello: '' }, [STARTTLS, bytes(HELLO)])).slice(4), [
    'fired gave the ClientHello no answer',
  ])
  t.same(show(play(behaviour, {}, [STARTTLS, bytes(ALERT)])).slice(4), [], 'an alert is no hello')
  const sslv2 = Buffer.from('801f010300010000', 'hex')
  t.same(
    show(play(behaviour, {}, [STARTTLS, bytes(Buffer.concat([sslv2, Buffer.alloc(25)]))])).length,
    6,
    'an SSLv2 hello is one',
  )
})

t.test('lets a client go on in clear, with or without a handshake before, whatever the segments', async (t) => {
  const sent = Buffer.concat([ALERT, Buffer.from('MAIL FROM:<a@b>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n')])
  const events = (at: number): WireEvent[] => [
    STARTTLS,
    bytes(sent.subarray(0, at)),
    bytes(sent.subarray(at)),
    reply(3, '250 ok\r\n'),
    { ...reply(4, '354 go\r\n'), last: false },
    reply(4, '250 taken\r\n'),
  ]
  const want = [
    'command 3 "MAIL FROM:<a@b>\\r\\n"',
    'command 4 "DATA\\r\\n"',
    'reply 3 "250 ok\\r\\n"',
    'reply 4 "354 go\\r\\n" more follows',
    'content 4 "x\\r\\n.\\r\\n"',
    'command 5 "QUIT\\r\\n"',
    'reply 4 "250 taken\\r\\n"',
  ]
  for (let at = 0; at <= sent.length; at += 1)
    t.same(show(play(behaviour, {}, events(at))).slice(4), want, `split at ${at}`)
})

t.test('reads what follows a refused DATA as commands', async (t) => {
  const events = [STARTTLS, bytes('DATA\r\nNOOP\r\n'), reply(3, '503 no\r\n')]
  t.same(show(play(behaviour, {}, events)).slice(4), [
    'command 3 "DATA\\r\\n"',
    'reply 3 "503 no\\r\\n"',
    'command 4 "NOOP\\r\\n"',
  ])
})

t.test('answers nothing and passes nothing on after it has ended the connection', async (t) => {
  const late = [bytes(HELLO), bytes('MAIL FROM:<a@b>\r\n')]
  t.same(show(play(behaviour, { reply: GO, close: 'fin' }, [STARTTLS, ...late])).slice(4), ['close client fin'])
  const outputs = show(play(behaviour, { close: 'fin', closeAfter: 'hello' }, [STARTTLS, ...late]))
  t.same(outputs.slice(6), ['close client fin'])
})

t.test('leaves everything else alone', async (t) => {
  const events = [{ type: 'open' } as const, command(1, 'EHLO c'), reply(1, '250 mx\r\n'), command(2, 'STARTTLS', true)]
  t.same(show(play(behaviour, {}, events)), [
    'command 1 "EHLO c\\r\\n"',
    'reply 1 "250 mx\\r\\n"',
    'command 2 "STARTTLS\\r\\n"',
  ])
})

t.test('takes octets only', async (t) => {
  t.throws(() => behaviour.parameters.parse({ reply: '220 €\r\n' }))
  t.throws(() => behaviour.parameters.parse({ answer: '' }))
})
