import t from 'tap'
import { createAuthority } from '../../peers/certificates/authority.ts'
import type { CellBegun } from '../events.ts'
import { CANARIES, HOST_NAME, LogBuilder, MAIL, MESSAGE, RCPT } from './log-builder.ts'

const NOW = new Date('2026-01-15T12:00:00.000Z')
const authority = createAuthority({ now: NOW, seed: 1 })
const names = { host: HOST_NAME, domain: 'cell.badmx.test' }
const good = (await authority.issue('good', names)).chain
const bad = (await authority.issue('untrusted-ca', names)).chain
const wrong = (await authority.issue('wrong-name', names)).chain

const start = (given: Partial<CellBegun> = {}): LogBuilder =>
  new LogBuilder({ roots: [authority.rootDer], ...given }).attempt()
const first = (log: LogBuilder): string => log.done().judge().outcome.first

t.test('every outcome, and not the one beside it', (t) => {
  const clear = (): LogBuilder => {
    const log = start()
    log.conn().greet().deliver().quit()
    return log
  }
  const secure = (chain: readonly Buffer[], given = {}): LogBuilder => {
    const log = start()
    log.conn().greet('STARTTLS').starttls().tls(chain, given).ehlo().deliver().quit()
    return log.says('delivered')
  }
  t.equal(first(clear().says('delivered')), 'delivered-cleartext')
  t.equal(first(secure(good)), 'delivered-verified')
  t.equal(first(secure(wrong)), 'delivered-unauthenticated-tls')
  t.equal(first(secure([])), 'delivered-unauthenticated-tls', 'nothing was presented')
  t.equal(
    first(secure(good, { cipher: 'TLS_ECDH_anon_WITH_AES_128_CBC_SHA' })),
    'delivered-unauthenticated-tls',
    'anonymous',
  )
  t.equal(first(secure(good, { cipher: 'TLS_RSA_WITH_NULL_SHA256' })), 'delivered-cleartext', 'eNULL')
  t.equal(first(clear().says('crashed')), 'crashed', 'crashed comes before delivered')
  t.equal(first(clear().says('failed')), 'delivered-cleartext', 'the peer decides')
  t.equal(first(start().says('delivered')), 'lost')
  t.equal(first(start().says('failed')), 'deferred')
  t.equal(first(start({ kind: 'queue' }).says('queued')), 'deferred')
  t.equal(first(start({ kind: 'queue' }).says('bounced')), 'bounced')
  t.equal(first(start()), 'not-attempted')
  const silent = start()
  silent.conn().greet().quit()
  t.equal(first(silent), 'inconclusive', 'connected, and no word of the client')
  t.end()
})

t.test('only a 2xx to the final dot is acceptance', (t) => {
  const refused = start()
  refused
    .conn()
    .greet()
    .c(MAIL)
    .s('250 a\r\n')
    .c(RCPT)
    .s('250 b\r\n')
    .c('DATA\r\n')
    .s('354 c\r\n')
    .c(MESSAGE)
    .s('550 no\r\n')
    .quit()
  t.equal(first(refused.says('delivered')), 'lost')
  const injected = start()
  injected
    .conn()
    .greet('STARTTLS')
    .starttls('220 go\r\n250 a\r\n250 b\r\n354 c\r\n250 queued\r\n')
    .tls(good)
    .ehlo()
    .c(MAIL)
    .quit()
  t.equal(first(injected.says('delivered')), 'lost')
  t.end()
})

t.test('a bounce that comes back is not the message', (t) => {
  const bounce = start()
  const dialogue = bounce.conn().greet()
  dialogue.c('MAIL FROM:<>\r\n').s('250 a\r\n').c(`RCPT TO:<${CANARIES.sender}@client.badmx.test>\r\n`).s('250 b\r\n')
  dialogue.c('DATA\r\n').s('354 c\r\n').c(MESSAGE).s('250 queued\r\n').quit()
  t.equal(first(bounce.says('delivered')), 'lost')
  const notice = start()
  const other = notice.conn().greet()
  other
    .c('MAIL FROM:<postmaster@client.badmx.test>\r\n')
    .s('250 a\r\n')
    .c(`RCPT TO:<${CANARIES.sender}@client.badmx.test>\r\n`)
    .s('250 b\r\n')
  other.c('DATA\r\n').s('354 c\r\n').c(MESSAGE).s('250 queued\r\n').quit()
  t.equal(first(notice.says('delivered')), 'lost')
  const rewritten = start()
  const own = rewritten.conn().greet()
  own
    .c('MAIL FROM:<root@localhost>\r\n')
    .s('250 a\r\n')
    .c(RCPT)
    .s('250 b\r\n')
    .c('DATA\r\n')
    .s('354 c\r\n')
    .c(MESSAGE)
    .s('250 queued\r\n')
    .quit()
  t.equal(first(rewritten.says('delivered')), 'delivered-cleartext', 'a sender of its own does not hide it')
  t.end()
})

t.test('a resumed session has the certificate of the one before', (t) => {
  const log = start()
  log.conn('c1').greet('STARTTLS').starttls().tls(good).ehlo().quit()
  log.conn('c2').greet('STARTTLS').starttls().tls([], { resumed: true }).ehlo().deliver().quit()
  t.equal(first(log.says('delivered')), 'delivered-verified')
  const refused = start()
  refused.conn('c1').greet('STARTTLS').starttls().tls(good).ehlo().quit()
  refused.conn('c2').greet('STARTTLS').starttls().refused(bad)
  refused.conn('c3').greet('STARTTLS').starttls().tls([], { resumed: true }).ehlo().deliver().quit()
  t.equal(first(refused.says('delivered')), 'delivered-verified', 'not of one that came to nothing')
  const fresh = start()
  fresh.conn('c1').greet('STARTTLS').starttls().tls(good).ehlo().quit()
  fresh.conn('c2').greet('STARTTLS').starttls().tls([], { resumed: false }).ehlo().deliver().quit()
  t.equal(first(fresh.says('delivered')), 'delivered-unauthenticated-tls', 'a full handshake without one has none')
  t.end()
})

t.test('of two acceptances the weakest counts, and the last message is judged', (t) => {
  const twice = start()
  twice.conn('c1').greet('STARTTLS').starttls().tls(good).ehlo().deliver().quit()
  twice.conn('c2').greet().deliver().quit()
  const record = twice.says('delivered').done().judge()
  t.equal(record.outcome.first, 'delivered-cleartext')
  t.ok(record.flags.includes('delivered-duplicate'))
  const two = new LogBuilder({ messages: 2, expected: 'C|D' }).attempt(1)
  two.conn('c1').greet().deliver().quit()
  two.says('delivered', {}, 1).attempt(2)
  two.conn('c2').greet('STARTTLS').quit()
  const second = two.says('failed', {}, 2).done().judge()
  t.equal(second.outcome.final, 'deferred')
  t.strictSame(
    second.attempts.map(({ outcome, connections }) => [outcome, ...connections]),
    [
      ['delivered-cleartext', 'c1'],
      ['deferred', 'c2'],
    ],
  )
  t.equal(second.flags.includes('delivered-duplicate'), false)
  t.end()
})

t.test('first and final', (t) => {
  const queue = (...outcomes: readonly string[]) => {
    const log = new LogBuilder({ kind: 'queue', expected: 'D>C|D' })
    outcomes.forEach((outcome, at) => {
      log.attempt(at + 1, at === 0 ? 'first' : 'forced')
      if (outcome === 'C') log.conn(`c${at}`).greet().deliver().quit()
      log.says(outcome === 'C' ? 'delivered' : outcome === 'B' ? 'bounced' : 'queued', {}, at + 1)
    })
    return log.done().judge().outcome
  }
  t.strictSame(queue('D'), { first: 'deferred', final: 'unknown' })
  t.strictSame(queue('D', 'D'), { first: 'deferred', final: 'deferred' })
  t.strictSame(queue('D', 'C'), { first: 'deferred', final: 'delivered-cleartext' })
  t.strictSame(queue('D', 'B'), { first: 'deferred', final: 'bounced' })
  t.strictSame(start().says('failed').done().judge().outcome, { first: 'deferred', final: 'deferred' }, 'one-shot')
  t.end()
})

t.test('octets of a reply that does not end move nobody', (t) => {
  // One octet every 10 s for 40 s; 300 s ÷ 10 are the limit.
  const log = start()
  const talk = log.conn().s('220 mx\r\n').c('EHLO x\r\n')
  for (const octet of '250-') {
    log.wait(10_000)
    talk.s(octet)
  }
  t.match(log.says('hung').done().judge(), { outcome: { first: 'hung' }, verdict: 'fail' })
  const answered = start()
  const other = answered.conn().s('220 mx\r\n').c('EHLO x\r\n')
  answered.wait(25_000)
  other.s('250 mx\r\n')
  t.match(answered.wait(10_000).says('hung').done().judge(), { verdict: 'info' }, 'a whole reply does')
  t.end()
})

t.test('limits of a client that nobody can set', (t) => {
  const seconds = {
    connect: 127,
    banner: 300,
    command: 300,
    data: 300,
    dot: 300,
    handshake: 'none',
    block: 'none',
  } as const
  const ended = (waitedMs: number, after: (log: LogBuilder) => void) => {
    const log = start({ deadlineMs: 400_000 })
    after(log)
    return log
      .wait(waitedMs)
      .says('hung', { limits: { seconds, source: 'x.c' } })
      .done()
      .judge()
  }
  const ehlo = (log: LogBuilder): void => void log.conn().s('220 mx\r\n').c('EHLO x\r\n')
  const patient = ended(299_000, ehlo)
  t.match(patient, { verdict: 'unsupported', reason: /its own limit of 300 s for that cannot be set \(x\.c\)/ })
  t.match(ended(309_000, ehlo), { outcome: { first: 'hung' }, verdict: 'fail' }, 'its own limit is over, too')
  const handshake = (log: LogBuilder): void => void log.conn().greet('STARTTLS').starttls()
  t.match(ended(299_000, handshake), { outcome: { first: 'hung' }, verdict: 'fail' }, 'none for this wait')
  const rest = (log: LogBuilder): void =>
    void log
      .conn()
      .greet()
      .c(MAIL)
      .s('250 a\r\n')
      .c(RCPT)
      .s('250 b\r\n')
      .c('DATA\r\n')
      .s('354 c\r\n')
      .c('Subject: x\r\n')
  t.match(ended(299_000, rest), { outcome: { first: 'hung' } }, 'nor for its content')
  t.match(
    ended(126_000, () => {}),
    { verdict: 'unsupported', reason: /made no connection/ },
  )
  const late = start({ deadlineMs: 400_000 })
  handshake(late)
  const busy = late
    .late(7000)
    .wait(299_000)
    .says('hung', { limits: { seconds, source: 'x.c' } })
    .done()
    .judge()
  t.match(busy, { verdict: 'error', reason: /machine was too busy/ }, 'a hang on a busy machine is none')
  const clear = start({ deadlineMs: 400_000, judgedAs: 'encrypt', expected: 'D' })
  clear.conn().greet().c(MAIL).s('250 a\r\n').c(RCPT)
  const leaks = clear
    .wait(20_000)
    .says('hung', { limits: { seconds, source: 'x.c' } })
    .done()
    .judge()
  t.equal(leaks.verdict, 'leak', 'what it did before counts')
  t.end()
})

t.test('hung after the limit of the stage, waiting before it', (t) => {
  // RFC 5321 §4.5.3.2: 300 s for a reply, 600 s after the dot; the builder's scale is 10.
  const ended = (waitedMs: number, after: (log: LogBuilder) => void) => {
    const log = start()
    after(log)
    return log.wait(waitedMs).says('hung').done().judge()
  }
  const ehlo = (log: LogBuilder): void => void log.conn().s('220 mx\r\n').c('EHLO x\r\n')
  t.match(ended(30_000, ehlo), { outcome: { first: 'hung' }, verdict: 'fail' })
  t.match(ended(29_000, ehlo), { outcome: { first: 'inconclusive' }, verdict: 'info' })
  t.match(
    ended(29_000, ehlo).reason,
    /after 29\.0 s of waiting for the reply to EHLO \(RFC 5321 §4\.5\.3\.2 allows 30\.0 s at this scale\)/,
  )
  const dot = (log: LogBuilder): void =>
    void log.conn().greet().c(MAIL).s('250 a\r\n').c(RCPT).s('250 b\r\n').c('DATA\r\n').s('354 c\r\n').c(MESSAGE)
  t.match(ended(59_000, dot), { outcome: { first: 'inconclusive' } })
  t.match(ended(60_000, dot), { outcome: { first: 'hung' } })
  t.match(ended(30_000, (log) => log.conn()).reason, /waiting for the banner/)
  t.match(ended(30_000, (log) => log.conn().greet('STARTTLS').starttls()).reason, /waiting for the TLS handshake/)
  const silent = ended(30_000, (log) => log.conn('c1', { tlsOnConnect: true }))
  t.match(silent.reason, /waiting for the banner/, 'a client that speaks no TLS on connect')
  t.match(
    ended(12_000, (log) => log.conn().greet().c('DATA\r\n')).reason,
    /the reply to DATA \(RFC 5321 §4\.5\.3\.2 allows 12\.0 s/,
  )
  t.match(
    ended(30_000, () => {}),
    { outcome: { first: 'hung' } },
    'no connection at all',
  )
  const late = start()
  late.conn().s('220 mx\r\n').c('EHLO x\r\n')
  t.match(
    late.wait(100_000).says('hung').done().judge().reason,
    /after 64\.0 s/,
    'what comes after the deadline is not waiting',
  )
  t.end()
})
