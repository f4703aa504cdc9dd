import t from 'tap'
import type { PeerEvent } from '../../peers/events.ts'
import { LogBuilder, MAIL, MESSAGE, RCPT } from './log-builder.ts'
import { type Entry, readTranscript } from './transcript.ts'

const read = (log: LogBuilder): Entry[] =>
  readTranscript(
    log.events.map((event, seq) => ({ event: event as PeerEvent, seq })),
    'client',
  )

/** `C 1 MAIL`, `S 250>1`, one word per entry. */
const told = (entries: readonly Entry[]): string[] =>
  entries.map((entry) => {
    const layer = entry.layer === 'tls' ? '*' : ''
    switch (entry.kind) {
      case 'command':
        return `C${layer} ${entry.id} ${entry.verb}`
      case 'reply':
        return `S${layer} ${entry.code}>${entry.answers ?? 'none'}${entry.interim ? '+' : ''}${entry.accepts ? '!' : ''}`
      case 'content':
        return `C${layer} ${entry.of}${entry.last ? '.' : ''}`
      case 'bytes':
        return `${entry.from === 'client' ? 'C' : 'S'}${layer} ${entry.what} ${entry.missing ?? entry.bytes.length}`
      case 'tls':
        return `tls ${entry.state}`
      default:
        return `eof ${entry.by}`
    }
  })

t.test('a delivery inside TLS', (t) => {
  const log = new LogBuilder()
  log.conn().greet('STARTTLS').starttls().tls().ehlo('SIZE 10').deliver().quit()
  t.strictSame(told(read(log)), [
    ...['S 220>0', 'C 1 EHLO', 'S 250>1', 'C 2 STARTTLS', 'S 220>2', 'tls hello', 'tls up'],
    ...['C* 3 EHLO', 'S* 250>3', 'C* 4 MAIL', 'S* 250>4', 'C* 5 RCPT', 'S* 250>5', 'C* 6 DATA', 'S* 354>6+'],
    ...['C* DATA.', 'S* 250>6!', 'C* 7 QUIT', 'S* 221>7', 'eof client'],
  ])
  t.end()
})

t.test('the same at every chunking', (t) => {
  const whole = new LogBuilder()
  whole.conn().greet().deliver().quit()
  const want = told(read(whole)).filter((word) => !word.startsWith('C DATA'))
  const octets = new LogBuilder()
  const dialogue = octets.conn()
  for (const { event } of whole.events.map((event) => ({ event }))) {
    if (event.type !== 'bytes') continue
    for (const octet of event.data) dialogue.bytes(event.direction, Buffer.from([octet]))
  }
  dialogue.close()
  t.strictSame(
    told(read(octets)).filter((word) => !word.startsWith('C DATA')),
    want,
  )
  t.end()
})

t.test('offsets count the octets of a direction and layer; every octet is in one entry', (t) => {
  const log = new LogBuilder()
  log.conn().greet('STARTTLS').starttls().tls().ehlo().deliver().quit()
  const entries = read(log)
  for (const from of ['client', 'peer'])
    for (const layer of ['clear', 'tls']) {
      let offset = 0
      for (const entry of entries.filter(
        (each) => each.from === from && each.layer === layer && each.kind !== 'tls' && each.kind !== 'eof',
      )) {
        t.equal(entry.offset, offset, `${from} ${layer} ${entry.kind}`)
        offset += entry.bytes.length
      }
    }
  const sum = entries.reduce((octets, entry) => octets + entry.bytes.length, 0)
  t.equal(
    sum,
    log.events.reduce((octets, event) => octets + (event.type === 'bytes' ? event.data.length : 0), 0),
  )
  t.end()
})

t.test('pipelined commands are answered in order', (t) => {
  const log = new LogBuilder()
  log.conn().greet('PIPELINING').c(`${MAIL}${RCPT}DATA\r\n`).s('250 a\r\n250 b\r\n354 c\r\n').c(MESSAGE).s('250 d\r\n')
  t.strictSame(told(read(log)).slice(3), [
    'C 2 MAIL',
    'C 3 RCPT',
    'C 4 DATA',
    'S 250>2',
    'S 250>3',
    'S 354>4+',
    'C DATA.',
    'S 250>4!',
  ])
  t.end()
})

t.test('a reply that nothing asked for answers nothing', (t) => {
  const log = new LogBuilder()
  log.conn().s('220 mx\r\n').c('EHLO x\r\n').s('250 8BITMIME\r\n250 STARTTLS\r\n').c(MAIL).s('250 ok\r\n')
  t.strictSame(told(read(log)), ['S 220>0', 'C 1 EHLO', 'S 250>1', 'S 250>none', 'C 2 MAIL', 'S 250>2'])
  t.end()
})

t.test('a swallowed STARTTLS does not put the rest out of step', (t) => {
  const log = new LogBuilder()
  log.conn().greet('STARTTLS').c('STARTTLS\r\n').deliver()
  t.ok(told(read(log)).includes('S 250>5!'), 'the acceptance is found')
  t.notOk(told(read(log)).includes('S 250>2'), 'STARTTLS was never answered')
  t.end()
})

t.test('acceptance', (t) => {
  const accepted = (...texts: readonly string[]): boolean => {
    const log = new LogBuilder()
    const dialogue = log.conn().greet()
    for (const [at, text] of texts.entries()) at % 2 === 0 ? dialogue.c(text) : dialogue.s(text)
    dialogue.close()
    return read(log).some((entry) => entry.kind === 'reply' && entry.accepts)
  }
  const data = [MAIL, '250 a\r\n', RCPT, '250 b\r\n', 'DATA\r\n'] as const
  t.ok(accepted(...data, '354 c\r\n', MESSAGE, '250 d\r\n'), '2xx after the dot')
  t.notOk(accepted(...data, '354 c\r\n', MESSAGE, '451 d\r\n'), '4xx after the dot')
  t.notOk(accepted(...data, '354 c\r\n', MESSAGE), 'nothing after the dot')
  t.notOk(accepted(...data, '354 c\r\n', 'Subject: x\r\n', '250 early\r\n'), '2xx before the dot')
  t.ok(accepted(...data, '354 c\r\n', 'Subject: x\r\n', '250 early\r\n', '\r\n.\r\n', '250 d\r\n'), 'and then after it')
  t.notOk(
    accepted(...data, '354 c\r\n', 'Subject: x\r\n', '552 big\r\n', '.\r\n', '', 'RSET\r\n', '250 ok\r\n'),
    'RSET is no dot',
  )
  t.notOk(accepted(...data, '250 no\r\n'), '250 to DATA itself')
  t.ok(accepted(MAIL, '250 a\r\n', RCPT, '250 b\r\n', 'BDAT 4 LAST\r\nabcd', '250 d\r\n'), 'BDAT LAST')
  t.notOk(accepted(MAIL, '250 a\r\n', RCPT, '250 b\r\n', 'BDAT 4\r\nabcd', '250 d\r\n'), 'a chunk that is not the last')
  t.ok(
    accepted(MAIL, '250 a\r\n', RCPT, '250 b\r\n', 'BDAT 4\r\nabcd', '250 c\r\n', 'BDAT 0 LAST\r\n', '250 d\r\n'),
    'BDAT 0 LAST',
  )
  t.end()
})

t.test('TLS that nobody terminated is told from text', (t) => {
  const hello = Buffer.from([0x16, 3, 1, 0, 4, 1, 2, 3, 4])
  const log = new LogBuilder()
  log
    .conn()
    .greet('STARTTLS')
    .starttls()
    .bytes('in', hello.subarray(0, 6))
    .bytes('in', hello.subarray(6))
    .c('QUIT\r\n')
    .close()
  t.strictSame(told(read(log)).slice(5), ['C tls-records 6', 'C tls-records 3', 'C 3 QUIT', 'eof client'])
  t.end()
})

t.test('elided octets leave a hole and the framing goes on', (t) => {
  const log = new LogBuilder()
  const tail = Buffer.from('xx\r\n.\r\n')
  log
    .conn()
    .greet()
    .c(MAIL)
    .s('250 a\r\n')
    .c(RCPT)
    .s('250 b\r\n')
    .c('DATA\r\n')
    .s('354 c\r\n')
    .c('aaaa\r\n')
    .event({
      type: 'bytes',
      conn: 'c1',
      side: 'client',
      direction: 'in',
      layer: 'tcp',
      data: tail,
      elided: { length: 1000, sha256: '', hits: ['body'] },
    })
    .s('250 d\r\n')
  const entries = read(log)
  t.ok(told(entries).includes(`C elided ${1000 - tail.length}`))
  t.ok(
    entries.some((entry) => entry.kind === 'reply' && entry.accepts),
    'the dot is seen after the hole',
  )
  t.end()
})

t.test('after close_notify the clear layer begins afresh', (t) => {
  const log = new LogBuilder()
  log.conn().greet('STARTTLS').starttls().tls().c('EHLO x\r\n').closeTls().s('250 mx\r\n').c(MAIL).s('250 ok\r\n')
  t.strictSame(told(read(log)).slice(7), ['C* 3 EHLO', 'tls closed', 'S 250>none', 'C 4 MAIL', 'S 250>4'])
  t.end()
})
