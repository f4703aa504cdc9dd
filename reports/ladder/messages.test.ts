import t from 'tap'
import type { PeerEvent } from '../../peers/events.ts'
import { LogBuilder } from '../test/sample-log.ts'
import { type Message, messagesOf } from './messages.ts'

const read = (log: LogBuilder, side: 'client' | 'upstream' = 'client'): Message[] =>
  messagesOf(
    log.events.flatMap((event, seq) => ('conn' in event ? [{ event: event as PeerEvent, seq }] : [])),
    side,
  )

const brief = (messages: readonly Message[]): string[] =>
  messages.map(
    ({ from, tls, form, octets, offset }) =>
      `${from} ${tls ? 'tls' : 'clear'} ${form} ${offset} ${JSON.stringify(octets.toString('latin1'))}`,
  )

t.test('pipelined commands, replies of several lines, content in one piece', async (t) => {
  const log = new LogBuilder('x').open('c').peer('c', '220 mx\r\n').client('c', 'MAIL FROM:<a>\r\nDATA\r\n')
  log
    .peer('c', '250-ok\r\n250 more\r\n354 go\r\n')
    .client('c', 'one\r\n')
    .client('c', 'two\r\n.\r\nQUIT\r\n')
    .peer('c', '250 taken\r\n')
  t.strictSame(brief(read(log)), [
    'server clear reply 0 "220 mx\\r\\n"',
    'client clear command 0 "MAIL FROM:<a>\\r\\n"',
    'client clear command 15 "DATA\\r\\n"',
    'server clear reply 8 "250-ok\\r\\n250 more\\r\\n"',
    'server clear reply 26 "354 go\\r\\n"',
    'client clear content 21 "one\\r\\ntwo\\r\\n.\\r\\n"',
    'client clear command 34 "QUIT\\r\\n"',
    'server clear reply 34 "250 taken\\r\\n"',
  ])
})

t.test('the same at every split: same messages, honest times', async (t) => {
  const text = 'EHLO a\r\nMAIL FROM:<a>\r\n'
  for (let at = 1; at < text.length; at++) {
    const log = new LogBuilder('x').open('c').peer('c', '220 mx\r\n')
    log.at(10).client('c', text.slice(0, at)).at(20).client('c', text.slice(at))
    const [, ehlo, mail] = read(log)
    t.strictSame([ehlo?.octets.toString(), mail?.octets.toString()], ['EHLO a\r\n', 'MAIL FROM:<a>\r\n'])
    t.strictSame([ehlo?.began, ehlo?.at, ehlo?.pieces], at < 8 ? [5010, 5020, 2] : [5010, 5010, 1])
    t.strictSame([mail?.began, mail?.at, mail?.pieces], at > 8 ? [5010, 5020, 2] : [5020, 5020, 1])
  }
})

t.test('an unfinished reply before TLS is a fragment, and keeps its time', async (t) => {
  const log = new LogBuilder('x')
    .open('c')
    .peer('c', '220 mx\r\n')
    .client('c', 'STARTTLS\r\n')
    .at(7)
    .peer('c', '220 go\r\n250-AUTH ')
  log.at(9).add({
    type: 'tls',
    state: 'up',
    conn: 'c',
    side: 'client',
    version: 'TLSv1.3',
    cipher: 'x',
    resumed: false,
    clientChain: [],
  })
  log.client('c', 'EHLO a\r\n', 'tls').peer('c', '250 mx\r\n', 'tls')
  const messages = read(log)
  t.strictSame(brief(messages).slice(2), [
    'server clear reply 8 "220 go\\r\\n"',
    'server clear fragment 16 "250-AUTH "',
    'client tls command 0 "EHLO a\\r\\n"',
    'server tls reply 0 "250 mx\\r\\n"',
  ])
  t.equal(messages[3]?.at, 5007)
})

t.test('a reply that nobody asked for is stray, the others are not', async (t) => {
  const log = new LogBuilder('x')
    .open('c')
    .peer('c', '220 mx\r\n')
    .client('c', 'NOOP\r\n')
    .peer('c', '250 ok\r\n250 injected\r\n')
  t.strictSame(
    read(log).map((message) => message.stray),
    [false, false, false, true],
  )
})

t.test('what the log left out is counted', async (t) => {
  const log = new LogBuilder('x')
    .open('c')
    .peer('c', '220 mx\r\n')
    .client('c', 'DATA\r\n')
    .peer('c', '354 go\r\n')
    .client('c', 'first\r\n')
  const tail = Buffer.from('last\r\n.\r\n')
  log.add({
    type: 'bytes',
    conn: 'c',
    side: 'client',
    direction: 'in',
    layer: 'tcp',
    data: tail,
    elided: { length: 1000, sha256: '', hits: ['body'] },
  })
  log.peer('c', '250 ok\r\n').client('c', 'QUIT\r\n')
  const content = read(log).find((message) => message.form === 'content')
  t.match(content, { length: 1007, offset: 6, hits: ['body'], octets: Buffer.from('first\r\nlast\r\n.\r\n') })
  t.equal(read(log).at(-1)?.offset, 1013, 'and offsets go on behind it')
})

t.test('TLS that is passed through is opaque, one message per direction', async (t) => {
  const records = '\u0016\u0003\u0001\u0000\u0004abcd'
  const log = new LogBuilder('x').open('c').peer('c', '220 mx\r\n').client('c', 'STARTTLS\r\n').peer('c', '220 go\r\n')
  log.client('c', records).peer('c', records).client('c', records).peer('c', records)
  t.strictSame(
    read(log)
      .slice(3)
      .map(({ from, form, length, pieces }) => [from, form, length, pieces]),
    [
      ['client', 'opaque', 18, 2],
      ['server', 'opaque', 18, 2],
    ],
  )
})

t.test('sides are kept apart', async (t) => {
  const log = new LogBuilder('x')
    .open('c')
    .bytes('c', 'upstream', 'in', 'tcp', '220 real\r\n')
    .peer('c', '220 fake\r\n')
  t.strictSame(brief(read(log)), ['server clear reply 0 "220 fake\\r\\n"'])
  t.strictSame(brief(read(log, 'upstream')), ['server clear reply 0 "220 real\\r\\n"'])
})

t.test('ciphertext is a message where nobody opened TLS, and only there', async (t) => {
  const cipher = (log: LogBuilder): LogBuilder => {
    const bytes = { type: 'bytes', conn: 'c', side: 'client', layer: 'cipher', data: Buffer.alloc(9) } as const
    return log
      .add({ ...bytes, direction: 'in' })
      .add({ ...bytes, direction: 'out' })
      .add({ ...bytes, direction: 'in' })
  }
  const through = cipher(new LogBuilder('x').open('c').peer('c', '220 mx\r\n'))
  t.match(read(through).slice(1), [
    { from: 'client', tls: true, form: 'opaque', length: 18, pieces: 2 },
    { from: 'server', tls: true, form: 'opaque', length: 9, pieces: 1 },
  ])
  const opened = cipher(new LogBuilder('x').open('c').peer('c', '220 mx\r\n'))
  opened.add({ type: 'tls', state: 'failed', conn: 'c', side: 'client', reason: 'no' })
  t.equal(read(opened).length, 1, 'a capture beside the plain text')
})
