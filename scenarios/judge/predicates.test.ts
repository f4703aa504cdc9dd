import t from 'tap'
import { createAuthority } from '../../peers/certificates/authority.ts'
import { encodeMessage, queryFor } from '../../peers/dns/message.ts'
import { TYPE, type TypeName } from '../../peers/dns/numbers.ts'
import type { CellBegun } from '../events.ts'
import type { JudgedPolicy } from './flag-table.ts'
import { CANARIES, HOST_NAME, LogBuilder, MAIL, RCPT } from './log-builder.ts'
import { PREDICATES } from './predicates.ts'

const authority = createAuthority({ now: new Date('2026-01-15T12:00:00.000Z'), seed: 1 })
const names = { host: HOST_NAME, domain: 'cell.badmx.test' }
const good = (await authority.issue('good', names)).chain
const bad = (await authority.issue('untrusted-ca', names)).chain

type Build = (log: LogBuilder) => unknown

interface Case {
  readonly policy?: JudgedPolicy
  readonly given?: Partial<CellBegun>
  /** One log each; a predicate that can not be put to the test in two ways has none for `idle`. */
  readonly broken?: Build
  readonly holds: Build
  readonly idle?: Build
}

const open = (log: LogBuilder, conn = 'c1') => log.conn(conn).greet('STARTTLS')
const inside = (log: LogBuilder, chain: readonly Buffer[] = good, conn = 'c1') => open(log, conn).starttls().tls(chain)
const clear = (log: LogBuilder, conn = 'c2') => log.conn(conn).greet().deliver().quit()
const hello = Buffer.from([22, 3, 1, 0, 1, 1])
const nothing: Build = () => {}
const withheld = (log: LogBuilder) => inside(log).c('EHLO x\r\n').fired('withhold-ehlo-reply', 'withheld')
const lostAtDot = (log: LogBuilder) =>
  inside(log)
    .ehlo()
    .c(MAIL)
    .s('250 ok\r\n')
    .c(RCPT)
    .s('250 ok\r\n')
    .c('DATA\r\n')
    .s('354 go\r\n')
    .c('x\r\n.\r\n')
    .close('peer')
const hang = (log: LogBuilder, ms: number) => {
  log.conn().s('220 mx\r\n').c('EHLO x\r\n')
  log.wait(ms).says('hung')
}

const left = (length: number) =>
  ({
    type: 'bytes',
    conn: 'c1',
    side: 'client',
    direction: 'out',
    layer: 'tcp',
    data: Buffer.from('x\r\n'),
    elided: { length, sha256: '', hits: [] },
  }) as const
const challenged = (log: LogBuilder, answers: number) => {
  const talk = log.conn().greet('AUTH LOGIN').c('AUTH LOGIN\r\n').s('334 \r\n')
  for (let count = 0; count < answers; count++) talk.c('QQ==\r\n').s('334 \r\n')
  talk.close()
}

const resolver = { address: '127.0.0.1', port: 53 }
/** The client asks its resolver. */
const asks =
  (type: TypeName): Build =>
  (log) =>
    log.push({
      ...{ type: 'dns', at: 'stub', direction: 'in', local: resolver, peer: resolver, transport: 'udp' },
      data: encodeMessage(queryFor(`_25._tcp.${HOST_NAME}`, TYPE[type])),
    })

const CASES: Readonly<Record<string, Case>> = {
  'tlsa-asked': { policy: 'dane', broken: asks('A'), holds: asks('TLSA') },
  'no-tlsa-query': { policy: 'dane', broken: asks('TLSA'), holds: asks('A') },
  'no-cleartext-after-certificate': {
    broken: (log) => {
      open(log).starttls().refused(bad).close()
      clear(log)
    },
    holds: (log) => {
      clear(log)
      open(log).starttls().refused(bad).close()
    },
    idle: (log) => clear(log),
  },
  'not-cleartext-opportunistic': { broken: (log) => clear(log), holds: (log) => inside(log).ehlo().deliver().quit() },
  'tls-or-error-never-clear': {
    policy: 'encrypt',
    broken: (log) => open(log).c(MAIL).close(),
    holds: (log) => open(log).quit(),
  },
  'nothing-secret-in-clear': {
    policy: 'encrypt',
    broken: (log) => open(log).c(`X ${CANARIES.password}\r\n`).close(),
    holds: (log) => open(log).quit(),
  },
  'no-helo-delivery': {
    policy: 'encrypt',
    broken: (log) => log.conn().s('220 mx\r\n').c('HELO x\r\n').s('250 mx\r\n').c(MAIL).s('250 ok\r\n').quit(),
    holds: (log) => log.conn().s('220 mx\r\n').c('HELO x\r\n').s('250 mx\r\n').quit(),
  },
  'no-auth-in-clear': {
    broken: (log) => log.conn().greet().c('AUTH PLAIN\r\n').s('334 \r\n').close(),
    holds: (log) => inside(log).ehlo('AUTH PLAIN').c('AUTH PLAIN AA\r\n').close(),
  },
  'no-auth-begun-in-clear': {
    broken: (log) => log.conn().greet('AUTH LOGIN').c('AUTH LOGIN\r\n').s('334 VXNlcg==\r\n').close(),
    holds: (log) => inside(log).ehlo('AUTH PLAIN').c('AUTH PLAIN AA\r\n').close(),
  },
  'no-clear-bytes-before-client-hello': {
    broken: (log) => log.conn('c1', { tlsOnConnect: true }).c('EHLO x\r\n').close(),
    holds: (log) => log.conn('c1', { tlsOnConnect: true }).c(hello.toString('latin1')).close(),
    idle: (log) => clear(log),
  },
  'no-command-in-clear-after-220': {
    broken: (log) => open(log).starttls().c('EHLO x\r\n').close(),
    holds: (log) => open(log).starttls().c('QUIT\r\n').close(),
  },
  'no-cleartext-after-close-notify': {
    broken: (log) => inside(log).c('EHLO x\r\n').closeTls().s('250 mx\r\n').c(MAIL).close(),
    holds: (log) => inside(log).c('EHLO x\r\n').closeTls().s('250 mx\r\n').c('QUIT\r\n').close(),
    idle: (log) => inside(log).ehlo().quit(),
  },
  'no-answer-to-334': {
    broken: (log) =>
      open(log)
        .starttls('334 UGFzc3dvcmQ6\r\n')
        .c(`${Buffer.from(CANARIES.password).toString('base64')}\r\n`)
        .close(),
    holds: (log) => open(log).starttls('334 UGFzc3dvcmQ6\r\n').c('QUIT\r\n').close(),
    idle: (log) =>
      log
        .conn()
        .greet('AUTH LOGIN')
        .c('AUTH LOGIN\r\n')
        .s('334 UGFzc3dvcmQ6\r\n')
        .c(`${Buffer.from(CANARIES.password).toString('base64')}\r\n`)
        .close(),
  },
  'bounded-wait': {
    broken: (log) => hang(log, 30_000),
    holds: (log) => log.says('failed'),
    idle: (log) => hang(log, 1000),
  },
  'no-hang': { broken: (log) => hang(log, 30_000), holds: (log) => log.says('failed'), idle: (log) => hang(log, 1000) },
  'no-crash': { broken: (log) => log.says('crashed'), holds: (log) => log.says('failed') },
  'no-bounce': { given: { kind: 'queue' }, broken: (log) => log.says('bounced'), holds: (log) => log.says('queued') },
  'no-bounce-under-mta-sts': {
    policy: 'mta-sts',
    given: { kind: 'queue' },
    broken: (log) => log.says('bounced'),
    holds: (log) => log.says('queued'),
  },
  'kept-for-days': {
    given: { kind: 'queue' },
    broken: (log) => log.says('queued').attempt(2, 'own').says('bounced', { ageSeconds: 86_400 }, 2),
    holds: (log) => log.says('queued').attempt(2, 'own').says('bounced', { ageSeconds: 432_000 }, 2),
    idle: (log) => log.says('queued').attempt(2, 'aged').says('bounced', {}, 2),
  },
  'bounce-never-first': {
    given: { kind: 'queue' },
    broken: (log) => log.says('bounced'),
    holds: (log) => log.says('queued').attempt(2, 'forced').says('bounced', {}, 2),
  },
  'no-success-report-when-lost': { broken: (log) => log.says('delivered'), holds: (log) => log.says('failed') },
  'no-false-size-bounce': {
    broken: (log) => inside(log).ehlo('SIZE 10485760').quit(),
    holds: (log) => inside(log).ehlo('SIZE 10485760').deliver().quit(),
    idle: (log) => open(log).starttls().refused(bad).close(),
  },
  'recovers-after-change': {
    given: { messages: 2 },
    broken: (log) => log.says('failed').attempt(2, 'first').says('failed', {}, 2),
    holds: (log) => clear(log.says('failed').attempt(2, 'first')),
    idle: (log) => log.says('failed'),
  },
  'starttls-once': {
    broken: (log) => open(log).starttls('454 no\r\n').starttls('454 no\r\n').quit(),
    holds: (log) => open(log).starttls('454 no\r\n').quit(),
    idle: (log) => open(log).quit(),
  },
  'ehlo-after-tls': {
    broken: (log) => inside(log).c(MAIL).s('503 no\r\n').quit(),
    holds: (log) => inside(log).ehlo().quit(),
    idle: (log) => inside(log).quit(),
  },
  'same-ehlo-name': {
    broken: (log) => inside(log).c('EHLO other.test\r\n').s('250 mx\r\n').quit(),
    holds: (log) => inside(log).c('EHLO CLIENT.badmx.test\r\n').s('250 mx\r\n').quit(),
    idle: (log) => open(log).quit(),
  },
  'sends-ehlo': {
    broken: (log) => log.conn().s('220 mx\r\n').c('HELO x\r\n').s('250 mx\r\n').quit(),
    holds: (log) => open(log).quit(),
    idle: (log) => log.conn().s('220 mx\r\n').close(),
  },
  'only-post-tls-extensions': {
    broken: (log) =>
      log
        .conn()
        .greet('SIZE 9', 'STARTTLS')
        .starttls()
        .tls(good)
        .ehlo()
        .c('MAIL FROM:<a@b> SIZE=9\r\n')
        .s('555 no\r\n')
        .quit(),
    holds: (log) => inside(log).ehlo('SIZE 9').c('MAIL FROM:<a@b> SIZE=9\r\n').s('250 ok\r\n').quit(),
    idle: (log) => open(log).quit(),
  },
  'no-handshake-on-bad-reply': {
    broken: (log) => open(log).starttls('220-go\r\n454 no\r\n').c(hello.toString('latin1')).close(),
    holds: (log) => open(log).starttls('220-go\r\n220 on\r\n').tls(good).ehlo().quit(),
    idle: (log) => open(log).quit(),
  },
  'no-handshake-before-220': {
    broken: (log) =>
      log
        .conn()
        .s('220 mx\r\n')
        .c('EHLO x\r\n')
        .s('250-mx\r\n250 STARTTLS\r\n220 go\r\n')
        .c('STARTTLS\r\n')
        .c(hello.toString('latin1'))
        .s('220 go\r\n')
        .close(),
    holds: (log) =>
      log
        .conn()
        .s('220 mx\r\n')
        .c('EHLO x\r\n')
        .s('250-mx\r\n250 STARTTLS\r\n220 go\r\n')
        .c('STARTTLS\r\n')
        .s('220 go\r\n')
        .tls(good)
        .ehlo()
        .quit(),
    idle: (log) => open(log).quit(),
  },
  'no-deliver-by-stale-reply': {
    broken: (log) =>
      log
        .conn()
        .s('220 mx\r\n')
        .c('EHLO x\r\n')
        .s('250 mx\r\n250 x\r\n')
        .c(MAIL)
        .c(RCPT)
        .s('250 a\r\n250 b\r\n')
        .c('DATA\r\n')
        .s('354 c\r\n')
        .c('x\r\n.\r\n')
        .s('250 d\r\n')
        .quit(),
    holds: (log) => log.conn().s('220 mx\r\n').c('EHLO x\r\n').s('250 mx\r\n250 x\r\n').deliver().quit(),
  },
  'no-command-after-withheld-ehlo': {
    broken: (log) => withheld(log).c(MAIL).close(),
    holds: (log) => withheld(log).fired('withhold-ehlo-reply', 'released').s('250 mx\r\n').deliver().quit(),
    idle: (log) => open(log).quit(),
  },
  'no-auth-never-offered-in-tls': {
    broken: (log) =>
      log
        .conn()
        .greet('AUTH LOGIN', 'STARTTLS')
        .starttls()
        .tls(good)
        .ehlo('AUTH SCRAM-SHA-256')
        .c('AUTH LOGIN\r\n')
        .s('504 no\r\n')
        .quit(),
    holds: (log) =>
      log
        .conn()
        .greet('AUTH LOGIN', 'STARTTLS')
        .starttls()
        .tls(good)
        .ehlo('AUTH=LOGIN')
        .c('AUTH LOGIN\r\n')
        .s('334 x\r\n')
        .close(),
    idle: (log) => open(log).quit(),
  },
  'no-mail-after-refused-ehlo': {
    broken: (log) => inside(log).c('EHLO x\r\n').s('550 no\r\n').c(MAIL).s('503 no\r\n').quit(),
    holds: (log) => inside(log).c('EHLO x\r\n').s('550 no\r\n').quit(),
    idle: (log) => open(log).quit(),
  },
  'no-tls-over-injected-bytes': {
    broken: (log) => open(log).starttls().s('250 clear\r\n').tls(good).ehlo().quit(),
    holds: (log) => open(log).starttls().s('250 clear\r\n').failed('unexpected_message').close(),
    idle: (log) => inside(log).ehlo().quit(),
  },
  'tries-tls-on-each-visit': {
    broken: (log) => {
      inside(log).ehlo().quit()
      open(log, 'c2').deliver().quit()
    },
    holds: (log) => inside(log).ehlo().quit(),
    idle: (log) => clear(log),
  },
  'mail-carries-requiretls': {
    broken: (log) => inside(log).ehlo('REQUIRETLS').deliver().quit(),
    holds: (log) => inside(log).ehlo('REQUIRETLS').c(MAIL.replace('\r\n', ' REQUIRETLS\r\n')).s('250 ok\r\n').quit(),
    idle: (log) => inside(log).ehlo().quit(),
  },
  'no-requiretls-learned-before-tls': {
    broken: (log) => inside(log).ehlo().c(MAIL.replace('\r\n', ' REQUIRETLS\r\n')).s('250 ok\r\n').quit(),
    holds: (log) => inside(log).ehlo('REQUIRETLS').c(MAIL.replace('\r\n', ' REQUIRETLS\r\n')).s('250 ok\r\n').quit(),
  },
  'no-command-after-refused-banner': {
    broken: (log) => log.conn().s('554 no\r\n').c('EHLO x\r\n').s('503 no\r\n').quit(),
    holds: (log) => log.conn().s('554 no\r\n').quit(),
    idle: (log) => open(log).quit(),
  },
  'no-mail-after-refused-greeting': {
    broken: (log) => log.conn().s('220 mx\r\n').c('EHLO x\r\n').s('550 no\r\n').c(MAIL).s('503 no\r\n').quit(),
    holds: (log) => log.conn().s('220 mx\r\n').c('EHLO x\r\n').s('550 no\r\n').c('HELO x\r\n').s('550 no\r\n').quit(),
    idle: (log) =>
      log.conn().s('220 mx\r\n').c('EHLO x\r\n').s('550 no\r\n').c('HELO x\r\n').s('250 mx\r\n').deliver().quit(),
  },
  'nothing-behind-starttls': {
    broken: (log) => open(log).c('STARTTLS\r\nEHLO x\r\n').s('220 go\r\n').close(),
    holds: (log) => inside(log).ehlo().quit(),
    idle: (log) => open(log).quit(),
  },
  'no-clear-resend-at-once': {
    broken: (log) => {
      lostAtDot(log)
      clear(log)
    },
    holds: (log) => {
      clear(log, 'c3')
      lostAtDot(log)
    },
    idle: (log) => clear(log),
  },
  'no-sslv2-hello': {
    broken: (log) => open(log).starttls().hello({ format: 'sslv2' }).failed(),
    holds: (log) => open(log).starttls().hello().failed(),
    idle: (log) => open(log).quit(),
  },
  'names-the-server': {
    policy: 'verify',
    broken: (log) => open(log).starttls().hello({ serverName: undefined }).failed(),
    holds: (log) => open(log).starttls().hello().failed(),
    idle: (log) => open(log).quit(),
  },
  'no-dot-in-server-name': {
    broken: (log) => open(log).starttls().hello({ serverName: 'mx.badmx.test.' }).failed(),
    holds: (log) => open(log).starttls().hello().failed(),
    idle: (log) => open(log).starttls().hello({ serverName: undefined }).failed(),
  },
  'no-heartbeat-answer': {
    broken: (log) =>
      open(log).starttls().hello().event({
        type: 'tls',
        state: 'failed',
        conn: 'c1',
        side: 'client',
        reason: 'a heartbeat of 16403 octets',
      }),
    holds: (log) => open(log).starttls().refused(good, 'unexpected_message'),
    idle: (log) => open(log).close(),
  },
  'no-version-dance': {
    broken: (log) => {
      open(log).starttls().hello().failed()
      open(log, 'c2')
        .starttls()
        .hello({ versions: [0x0303] })
        .failed()
    },
    holds: (log) => {
      open(log).starttls().hello().failed()
      open(log, 'c2').starttls().hello().failed()
    },
    idle: (log) => open(log).starttls().hello().failed(),
  },
  'unasked-starttls-may-work': { holds: nothing },
  'parse-lenient-recorded': { holds: (log) => open(log).starttls('250 ok\r\n').c(hello.toString('latin1')).close() },
  'bounded-reply': {
    broken: (log) =>
      log
        .conn()
        .s('220-mx\r\n')
        .bytes('out', 'x')
        .event(left(41 * 1024 * 1024))
        .close(),
    holds: (log) =>
      log
        .conn()
        .s('220-mx\r\n')
        .event(left(39 * 1024 * 1024))
        .close(),
  },
  'bounded-challenges': {
    broken: (log) => challenged(log, 17),
    holds: (log) => challenged(log, 16),
    idle: (log) => clear(log),
  },
  'log-escaped': {
    broken: (log) => log.says('failed', { log: ['< 250 \x1b[2K'] }),
    holds: (log) => log.says('failed', { log: ['< 250\tok \\x1b é'] }),
    idle: nothing,
  },
  'no-secret-in-log': {
    broken: (log) => log.says('failed', { log: [`> ${Buffer.from(`\0u\0${CANARIES.password}`).toString('base64')}`] }),
    holds: (log) => log.says('failed', { log: ['> AUTH PLAIN ****', CANARIES.user] }),
  },
}

t.test('every predicate breaks, holds, and says when it was not put to the test', (t) => {
  t.strictSame(Object.keys(CASES).sort(), Object.keys(PREDICATES).sort(), 'there is a case for each')
  for (const [id, { policy = 'may', given, broken, holds, idle }] of Object.entries(CASES)) {
    const said = (build: Build | undefined): boolean | 'not-applicable' | undefined => {
      if (build === undefined) return undefined
      const log = new LogBuilder({
        roots: [authority.rootDer],
        judgedAs: policy,
        expected: 'V|D',
        asserts: [id],
        ...given,
      }).attempt()
      build(log)
      const [record] = log.done().judge().asserts
      t.ok((record?.detail ?? '') !== '', `${id} says what it saw`)
      return record?.held
    }
    if (broken !== undefined) t.equal(said(broken), false, `${id} breaks`)
    t.equal(said(holds), true, `${id} holds`)
    if (idle !== undefined) t.equal(said(idle), 'not-applicable', `${id} is not put to the test`)
  }
  t.end()
})

t.test('what only some policies demand', (t) => {
  const said = (id: string, policy: JudgedPolicy, build: Build): unknown => {
    const log = new LogBuilder({ judgedAs: policy, expected: 'C|D', asserts: [id] }).attempt()
    build(log)
    return log.done().judge().asserts[0]?.held
  }
  const helo: Build = (log) => log.conn().s('220 mx\r\n').c('HELO x\r\n').s('250 mx\r\n').deliver().quit()
  t.equal(said('no-helo-delivery', 'may', helo), 'not-applicable')
  t.equal(said('tls-or-error-never-clear', 'may', helo), 'not-applicable')
  t.equal(said('not-cleartext-opportunistic', 'none', helo), 'not-applicable')
  t.equal(said('tries-tls-on-each-visit', 'none', helo), 'not-applicable')
  t.equal(said('no-bounce-under-mta-sts', 'encrypt', helo), 'not-applicable')
  t.equal(said('tlsa-asked', 'may', helo), 'not-applicable')
  t.equal(said('no-tlsa-query', 'verify', asks('TLSA')), 'not-applicable')
  t.end()
})

t.test('each has a title, a source and a weight', (t) => {
  for (const [id, predicate] of Object.entries(PREDICATES)) {
    t.match(id, /^[a-z0-9]+(-[a-z0-9]+)*$/)
    t.ok(predicate.title.length > 10 && predicate.source !== '', id)
  }
  t.end()
})
