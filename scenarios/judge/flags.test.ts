import t from 'tap'
import { createAuthority } from '../../peers/certificates/authority.ts'
import type { CellBegun } from '../events.ts'
import type { CellRecord } from '../record.ts'
import { FLAGS, type Flag, type JudgedPolicy, weightOf } from './flag-table.ts'
import { CANARIES, HOST_NAME, LogBuilder, MAIL, RCPT } from './log-builder.ts'

const authority = createAuthority({ now: new Date('2026-01-15T12:00:00.000Z'), seed: 1 })
const names = { host: HOST_NAME, domain: 'cell.badmx.test' }
const good = (await authority.issue('good', names)).chain
const bad = (await authority.issue('untrusted-ca', names)).chain

const judged = (
  judgedAs: JudgedPolicy,
  build: (log: LogBuilder) => void,
  given: Partial<CellBegun> = {},
): CellRecord => {
  const log = new LogBuilder({
    roots: [authority.rootDer],
    judgedAs,
    expected: judgedAs === 'none' ? 'C' : 'V|D',
    ...given,
  }).attempt()
  build(log)
  if (!log.events.some(({ type }) => type === 'client')) log.says('failed')
  return log.done().judge()
}

interface Case {
  readonly flag: Flag
  readonly policy: JudgedPolicy
  readonly given?: Partial<CellBegun>
  readonly fires: (log: LogBuilder) => void
  readonly silent: (log: LogBuilder) => void
}

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64')
const open = (log: LogBuilder) => log.conn().greet('STARTTLS')
const inside = (log: LogBuilder, chain: readonly Buffer[] = good) => open(log).starttls().tls(chain)
const clear = (log: LogBuilder, conn = 'c2') => log.conn(conn).greet().deliver().quit()

const turnAway = (log: LogBuilder, offer: string) => {
  const dialogue = log.conn().s('220 mx\r\n').c('EHLO x\r\n').s(`250-mx\r\n${offer}\r\n220 stray\r\n`)
  return dialogue.c(MAIL).s('250 a\r\n').c(RCPT).s('250 b\r\n').c('DATA\r\n').s('354 c\r\n').close()
}

/** The replies of a whole session. */
const SCRIPT = '250 mx\r\n250 ok\r\n250 ok\r\n354 go\r\n250 queued\r\n221 bye\r\n'

/** SCRAM up to the challenge: the user is named, nothing of the password has crossed (RFC 5802 §5). */
const scramFirst = (log: LogBuilder) =>
  open(log)
    .c('AUTH SCRAM-SHA-256\r\n')
    .s('334 \r\n')
    .c(`${base64('n,,n=user,r=a')}\r\n`)
    .s(`334 ${base64('r=ab,s=c2FsdA==,i=4096')}\r\n`)
/** One NTLM message; 1 negotiates, 3 has the response. */
const ntlm = (log: LogBuilder, type: number) =>
  open(log)
    .c('AUTH NTLM\r\n')
    .s('334 \r\n')
    .c(`${base64(`NTLMSSP\0${String.fromCharCode(type)}\0\0\0`)}\r\n`)
    .s('535 no\r\n')
    .quit()

const CASES: readonly Case[] = [
  {
    flag: 'leak.envelope-clear',
    policy: 'encrypt',
    fires: (log) => open(log).c(MAIL).s('530 no\r\n').quit(),
    silent: (log) => inside(log).ehlo().c(MAIL).s('250 ok\r\n').quit(),
  },
  {
    flag: 'leak.content-clear',
    policy: 'encrypt',
    fires: (log) =>
      open(log)
        .c(MAIL)
        .s('250 a\r\n')
        .c(RCPT)
        .s('250 b\r\n')
        .c('DATA\r\n')
        .s('354 c\r\n')
        .c('X-First: line\r\n')
        .close(),
    silent: (log) => open(log).c(MAIL).s('250 a\r\n').c(RCPT).s('250 b\r\n').c('DATA\r\n').s('354 c\r\n').close(),
  },
  {
    flag: 'leak.credentials-clear',
    policy: 'may',
    fires: (log) =>
      open(log)
        .c(`AUTH PLAIN ${base64(`\u0000${CANARIES.user}\u0000${CANARIES.password}`)}\r\n`)
        .close(),
    silent: (log) =>
      inside(log)
        .ehlo('AUTH PLAIN')
        .c(`AUTH PLAIN ${base64(`\u0000${CANARIES.user}\u0000${CANARIES.password}`)}\r\n`)
        .close(),
  },
  {
    flag: 'leak.credentials-clear',
    policy: 'encrypt',
    fires: (log) =>
      open(log)
        .c('AUTH LOGIN\r\n')
        .s('334 VXNlcg==\r\n')
        .c(`${base64(CANARIES.user)}\r\n`)
        .s('334 UGFzcw==\r\n')
        .c(`${base64(CANARIES.password)}\r\n`)
        .close(),
    silent: (log) => open(log).c('AUTH LOGIN\r\n').s('334 VXNlcg==\r\n').c('*\r\n').s('501 ok\r\n').quit(),
  },
  {
    flag: 'leak.credentials-hash',
    policy: 'encrypt',
    fires: (log) =>
      open(log)
        .c('AUTH CRAM-MD5\r\n')
        .s('334 PDEyMz4=\r\n')
        .c(`${base64('user 0123456789abcdef')}\r\n`)
        .s('235 ok\r\n')
        .quit(),
    silent: (log) => open(log).c('AUTH CRAM-MD5\r\n').s('334 PDEyMz4=\r\n').c('*\r\n').s('501 ok\r\n').quit(),
  },
  {
    flag: 'leak.credentials-hash',
    policy: 'encrypt',
    fires: (log) =>
      scramFirst(log)
        .c(`${base64('c=biws,r=ab,p=cHJvb2Y=')}\r\n`)
        .s('535 no\r\n')
        .quit(),
    silent: (log) => scramFirst(log).c('*\r\n').s('501 ok\r\n').quit(),
  },
  {
    flag: 'leak.credentials-hash',
    policy: 'encrypt',
    fires: (log) => ntlm(log, 3),
    silent: (log) => ntlm(log, 1),
  },
  {
    flag: 'leak.envelope-unauth',
    policy: 'verify',
    fires: (log) => inside(log, bad).ehlo().c(MAIL).s('250 ok\r\n').quit(),
    silent: (log) => inside(log, bad).ehlo().quit(),
  },
  {
    flag: 'leak.content-unauth',
    policy: 'verify',
    fires: (log) => inside(log, bad).ehlo().deliver().quit(),
    silent: (log) => inside(log, good).ehlo().deliver().quit(),
  },
  {
    flag: 'leak.credentials-unauth',
    policy: 'encrypt',
    fires: (log) =>
      inside(log, bad)
        .ehlo('AUTH PLAIN')
        .c(`AUTH PLAIN ${base64(`\u0000u\u0000${CANARIES.password}`)}\r\n`)
        .s('235 ok\r\n')
        .quit(),
    silent: (log) => inside(log, bad).ehlo('AUTH PLAIN').deliver().quit(),
  },
  {
    flag: 'leak.helo-name',
    policy: 'may',
    fires: (log) => inside(log).c('EHLO internal.lan\r\n').s('250 mx\r\n').quit(),
    silent: (log) => inside(log).ehlo().quit(),
  },
  {
    flag: 'inject.accepted',
    policy: 'may',
    fires: (log) =>
      inside(log)
        .c('EHLO x\r\n')
        .fired('withhold-ehlo-reply', 'withheld')
        .c(MAIL)
        .fired('withhold-ehlo-reply', 'released')
        .close(),
    silent: (log) =>
      inside(log)
        .c('EHLO x\r\n')
        .fired('withhold-ehlo-reply', 'withheld')
        .c('QUIT\r\n')
        .fired('withhold-ehlo-reply', 'released')
        .close(),
  },
  {
    flag: 'inject.accepted',
    policy: 'may',
    fires: (log) => inside(log).c(`EHLO x\r\n${MAIL}`).fired('withhold-ehlo-reply', 'withheld').close(),
    silent: (log) =>
      inside(log)
        .c('EHLO x\r\n')
        .fired('withhold-ehlo-reply', 'withheld')
        .fired('withhold-ehlo-reply', 'released')
        .s('250 mx\r\n')
        .deliver()
        .quit(),
  },
  {
    flag: 'inject.accepted',
    policy: 'may',
    fires: (log) => {
      open(log).starttls(`220 go\r\n${SCRIPT}`).tls(good).c('EHLO x\r\n').failed().close()
      log.says('delivered')
    },
    silent: (log) => {
      open(log).starttls(`220 go\r\n${SCRIPT}`).tls(good).c('EHLO x\r\n').failed().close()
      log.says('failed')
    },
  },
  {
    flag: 'inject.accepted',
    policy: 'may',
    fires: (log) => {
      open(log).starttls(`220 go\r\n${SCRIPT}`).tls(good).close()
      log.says('delivered')
    },
    // Success without any acceptance, but nothing that was injected said so, or TLS never came up.
    silent: (log) => {
      open(log).starttls('220 go\r\n250 injected\r\n').tls(good).c('EHLO x\r\n').failed().close()
      log.conn('c2').greet('STARTTLS').starttls(`220 go\r\n${SCRIPT}`).failed().close()
      log.says('delivered')
    },
  },
  {
    flag: 'inject.partial',
    policy: 'may',
    fires: (log) =>
      open(log).starttls('220 go\r\n250-AUTH LOGIN ').tls(good).ehlo().c('AUTH LOGIN\r\n').s('334 x\r\n').close(),
    silent: (log) => open(log).starttls('220 go\r\n').tls(good).ehlo().c('AUTH LOGIN\r\n').s('334 x\r\n').close(),
  },
  {
    flag: 'inject.partial',
    policy: 'may',
    fires: (log) =>
      open(log)
        .starttls('220 go\r\n250-AUTH LOGIN ')
        .tls(good)
        .ehlo('AUTH CRAM-MD5')
        .c('AUTH LOGIN\r\n')
        .s('334 x\r\n')
        .close(),
    silent: (log) =>
      open(log).starttls('220 go\r\n250-AUTH PLAIN ').tls(good).ehlo().c('AUTH PLAIN AAAA\r\n').s('235 ok\r\n').quit(),
  },
  {
    flag: 'inject.partial',
    policy: 'may',
    fires: (log) =>
      open(log).starttls('220 go\r\n250 inj').tls(good).c('EHLO x\r\n').s('550 no\r\n').c(MAIL).s('503 no\r\n').quit(),
    silent: (log) =>
      open(log)
        .starttls('220 go\r\n250 inj')
        .tls(good)
        .c('EHLO x\r\n')
        .s('550 no\r\n')
        .c('HELO x\r\n')
        .s('250 mx\r\n')
        .c(MAIL)
        .s('250 ok\r\n')
        .quit(),
  },
  {
    flag: 'downgrade.same-connection',
    policy: 'may',
    fires: (log) => open(log).starttls('454 no\r\n').deliver().quit(),
    silent: (log) => clear(log),
  },
  {
    flag: 'downgrade.same-connection',
    policy: 'encrypt',
    fires: (log) => open(log).deliver().quit(),
    silent: (log) => inside(log).ehlo().deliver().quit(),
  },
  {
    flag: 'downgrade.immediate',
    policy: 'may',
    fires: (log) => {
      open(log).starttls().failed().close()
      clear(log)
    },
    silent: (log) => {
      log.conn('c1').greet().close()
      clear(log)
    },
  },
  {
    flag: 'downgrade.delayed',
    policy: 'may',
    fires: (log) => {
      open(log).starttls().failed().close()
      log.says('queued').attempt(2, 'forced')
      clear(log)
    },
    silent: (log) => {
      open(log).starttls().failed().close()
      log.says('queued').attempt(2, 'forced')
      log.conn('c2').greet('STARTTLS').starttls().tls(good).ehlo().deliver().quit()
    },
  },
  {
    flag: 'downgrade.helo',
    policy: 'may',
    fires: (log) =>
      log.conn().s('220 mx\r\n').c('EHLO x\r\n').s('500 no\r\n').c('HELO x\r\n').s('250 mx\r\n').deliver().quit(),
    silent: (log) => log.conn().s('220 mx\r\n').c('HELO x\r\n').s('250 mx\r\n').deliver().quit(),
  },
  {
    flag: 'downgrade.after-cert-failure',
    policy: 'may',
    fires: (log) => {
      open(log).starttls().refused(bad, 'unknown_ca').close()
      clear(log)
    },
    silent: (log) => {
      open(log).starttls().refused(bad, 'handshake_failure').close()
      clear(log)
    },
  },
  {
    flag: 'downgrade.after-injection',
    policy: 'may',
    fires: (log) => {
      open(log).starttls('220 go\r\n250 injected\r\n').failed().close()
      clear(log)
    },
    silent: (log) => {
      open(log).starttls('220 go\r\n').s('500 no TLS here\r\n').close()
      clear(log)
    },
  },
  {
    flag: 'downgrade.version-dance',
    policy: 'may',
    fires: (log) => {
      open(log)
        .starttls()
        .hello({ versions: [0x0304, 0x0303] })
        .failed()
        .close()
      log
        .conn('c2')
        .greet('STARTTLS')
        .starttls()
        .hello({ versions: [0x0303] })
        .failed()
        .close()
    },
    silent: (log) => {
      open(log)
        .starttls()
        .hello({ versions: [0x0304, 0x0303] })
        .failed()
        .close()
      log
        .conn('c2')
        .greet('STARTTLS')
        .starttls()
        .hello({ versions: [0x1a1a, 0x0304] })
        .failed()
        .close()
    },
  },
  {
    flag: 'delivered-duplicate',
    policy: 'may',
    fires: (log) => {
      inside(log).ehlo().deliver().quit()
      log.conn('c2').greet('STARTTLS').starttls().tls(good).ehlo().deliver().quit()
      log.says('delivered')
    },
    silent: (log) => {
      inside(log).ehlo().deliver().quit()
      log.says('delivered')
    },
  },
  {
    flag: 'delivered-duplicate',
    policy: 'may',
    fires: (log) => {
      inside(log).ehlo().deliver().quit()
      log.says('failed')
    },
    silent: (log) => {
      inside(log).ehlo().quit()
      log.says('failed')
    },
  },
  {
    flag: 'desync',
    policy: 'may',
    fires: (log) =>
      log
        .conn()
        .s('220 mx\r\n')
        .c('EHLO x\r\n')
        .s('250 mx\r\n250 STARTTLS\r\n')
        .c(MAIL)
        .c(RCPT)
        .s('250 a\r\n250 b\r\n')
        .quit(),
    silent: (log) =>
      log
        .conn()
        .s('220 mx\r\n')
        .c('EHLO x\r\n')
        .s('250 mx\r\n250 STARTTLS\r\n')
        .c(MAIL)
        .s('250 a\r\n')
        .c(RCPT)
        .s('250 b\r\n')
        .quit(),
  },
  {
    flag: 'desync',
    policy: 'may',
    fires: (log) =>
      log
        .conn()
        .s('220 mx\r\n')
        .c('EHLO x\r\n')
        .s('250 mx\r\n250 x\r\n')
        .c(MAIL)
        .s('250 a\r\n')
        .c(RCPT)
        .s('250 b\r\n')
        .c('DATA\r\n')
        .s('354 c\r\n')
        .c('QUIT\r\n')
        .close(),
    silent: (log) =>
      log
        .conn()
        .s('220 mx\r\n')
        .c('EHLO x\r\n')
        .s('250 mx\r\n')
        .c(MAIL)
        .s('250 a\r\n')
        .c(RCPT)
        .s('250 b\r\n')
        .c('DATA\r\n')
        .s('354 c\r\n')
        .c('QUIT\r\n')
        .close(),
  },
  {
    flag: 'protocol.command-after-220',
    policy: 'may',
    fires: (log) => open(log).starttls().c('EHLO x\r\n').close(),
    silent: (log) => open(log).starttls().c('QUIT\r\n').close(),
  },
  {
    flag: 'protocol.no-second-ehlo',
    policy: 'may',
    fires: (log) => inside(log).c(MAIL).s('503 no\r\n').quit(),
    silent: (log) => inside(log).ehlo().quit(),
  },
  {
    flag: 'protocol.second-starttls',
    policy: 'may',
    fires: (log) => inside(log).ehlo().c('STARTTLS\r\n').s('503 no\r\n').quit(),
    silent: (log) => inside(log).ehlo().quit(),
  },
  {
    flag: 'desync',
    policy: 'may',
    fires: (log) => turnAway(log, '250 SIZE 9'),
    // All three at once, and gone at the stray reply to the first: how far the peer came by then is chance.
    silent: (log) => turnAway(log, '250 PIPELINING'),
  },
  {
    flag: 'protocol.pipelined-after-starttls',
    policy: 'may',
    fires: (log) => open(log).c('STARTTLS\r\nEHLO x\r\n').s('220 go\r\n').tls(good).close(),
    silent: (log) => open(log).c('STARTTLS\r\n').s('220 go\r\n').tls(good).close(),
  },
  {
    flag: 'protocol.pipelined-after-starttls',
    policy: 'may',
    fires: (log) => open(log).c('STARTTLS\r\n').hello().s('220 go\r\n').failed().close(),
    silent: (log) => open(log).c('STARTTLS\r\n').s('220 go\r\n').hello().failed().close(),
  },
  {
    flag: 'protocol.used-pretls-caps',
    policy: 'may',
    fires: (log) =>
      log
        .conn()
        .greet('SIZE 9', 'STARTTLS')
        .starttls()
        .tls(good)
        .ehlo()
        .c('MAIL FROM:<a@b> SIZE=9\r\n')
        .s('555 no\r\n')
        .quit(),
    silent: (log) =>
      log
        .conn()
        .greet('SIZE 9', 'STARTTLS')
        .starttls()
        .tls(good)
        .ehlo('SIZE 9')
        .c('MAIL FROM:<a@b> SIZE=9\r\n')
        .s('250 ok\r\n')
        .quit(),
  },
  {
    flag: 'protocol.used-pretls-caps',
    policy: 'may',
    fires: (log) =>
      log
        .conn()
        .greet('PIPELINING', 'STARTTLS')
        .starttls()
        .tls(good)
        .ehlo()
        .c(`${MAIL}${RCPT}`)
        .s('250 a\r\n250 b\r\n')
        .quit(),
    silent: (log) =>
      log
        .conn()
        .greet('PIPELINING', 'STARTTLS')
        .starttls()
        .tls(good)
        .ehlo()
        .c(MAIL)
        .s('250 a\r\n')
        .c(RCPT)
        .s('250 b\r\n')
        .quit(),
  },
  {
    flag: 'tls.weak-version',
    policy: 'encrypt',
    fires: (log) => open(log).starttls().tls(good, { version: 'TLSv1.1' }).ehlo().quit(),
    silent: (log) => open(log).starttls().tls(good, { version: 'TLSv1.2' }).ehlo().quit(),
  },
  {
    flag: 'tls.weak-cipher',
    policy: 'encrypt',
    fires: (log) => open(log).starttls().tls(good, { cipher: 'TLS_RSA_WITH_3DES_EDE_CBC_SHA' }).ehlo().quit(),
    silent: (log) =>
      open(log).starttls().tls(good, { cipher: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256' }).ehlo().quit(),
  },
  {
    flag: 'tls.no-sni',
    policy: 'may',
    fires: (log) => open(log).starttls().hello({ serverName: undefined }).close(),
    silent: (log) => open(log).starttls().hello().close(),
  },
  {
    flag: 'tls.wrong-sni',
    policy: 'may',
    fires: (log) => open(log).starttls().hello({ serverName: 'other.test' }).close(),
    silent: (log) =>
      open(log)
        .starttls()
        .hello({ serverName: `${HOST_NAME.toUpperCase()}.` })
        .close(),
  },
  {
    flag: 'tls.early-data',
    policy: 'may',
    fires: (log) =>
      open(log)
        .starttls()
        .hello({ extensions: [0, 42] })
        .close(),
    silent: (log) =>
      open(log)
        .starttls()
        .hello({ extensions: [0] })
        .close(),
  },
  {
    flag: 'resp.parse-lenient',
    policy: 'may',
    fires: (log) =>
      open(log)
        .starttls('250 ok\r\n')
        .bytes('in', Buffer.from([22, 3, 1, 0, 1, 1]))
        .close(),
    silent: (log) => open(log).starttls('250 ok\r\n').quit(),
  },
  {
    flag: 'resp.parse-lenient',
    policy: 'may',
    fires: (log) => log.conn().greet('STARTTLSX').starttls('502 no\r\n').quit(),
    silent: (log) => log.conn().greet('8BITMIME').starttls('502 no\r\n').quit(),
  },
  {
    flag: 'resp.parse-strict',
    policy: 'may',
    fires: (log) => log.conn().greet('starttls').deliver().quit(),
    silent: (log) => log.conn().greet('starttls').starttls().tls(good).ehlo().quit(),
  },
  {
    // TLS failed a moment ago at this host: the client can read the offer.
    flag: 'resp.parse-strict',
    policy: 'may',
    fires: (log) => log.conn('c2').greet('STARTTLS').deliver().quit(),
    silent: (log) => {
      open(log).starttls().failed().close()
      log.conn('c2').greet('STARTTLS').deliver().quit()
    },
  },
  {
    flag: 'report.misclaim',
    policy: 'may',
    fires: (log) => {
      clear(log)
      log.says('delivered', { claims: { encrypted: true } })
    },
    silent: (log) => {
      clear(log)
      log.says('delivered', { claims: { encrypted: false } })
    },
  },
  {
    flag: 'report.misclaim',
    policy: 'may',
    fires: (log) => {
      inside(log, bad).ehlo().deliver().quit()
      log.says('delivered', { claims: { encrypted: true, verified: true } })
    },
    silent: (log) => {
      inside(log, good).ehlo().deliver().quit()
      log.says('delivered', { claims: { encrypted: true, verified: true } })
    },
  },
  {
    flag: 'report.silent',
    policy: 'may',
    fires: (log) => {
      open(log).starttls('454 no\r\n').deliver().quit()
      log.says('delivered', { reason: 'sent' })
    },
    silent: (log) => {
      open(log).starttls('454 no\r\n').deliver().quit()
      log.says('delivered', { reason: 'sent', log: ['STARTTLS refused, sending in clear'] })
    },
  },
]

t.test('every detector fires and stays silent', (t) => {
  for (const { flag, policy, given, fires, silent } of CASES) {
    const yes = judged(policy, fires, given)
    t.ok(yes.flags.includes(flag), `${flag} is raised: ${yes.flags.join(' ')}`)
    t.equal(yes.findings.find((finding) => finding.flag === flag)?.weight, weightOf(flag, policy))
    const no = judged(policy, silent, given)
    t.notOk(no.flags.includes(flag), `${flag} is not raised: ${no.flags.join(' ')}`)
  }
  t.end()
})

t.test('the word STARTTLS in the name of the peer is no offer', (t) => {
  const asked = (banner: string): CellRecord =>
    judged('may', (log) => log.conn().s(`220 ${banner} ESMTP\r\n`).ehlo('8BITMIME').starttls('502 no\r\n').quit())
  t.notOk(asked('mx.cell.badmx.test').flags.includes('resp.parse-lenient'))
  const named = judged(
    'may',
    (log) => log.conn().s('220 mx.starttls.badmx.test\r\n').ehlo('8BITMIME').starttls('502 no\r\n').quit(),
    { domain: 'starttls.badmx.test' },
  )
  t.notOk(named.flags.includes('resp.parse-lenient'))
  t.end()
})

t.test('a client certificate', (t) => {
  const with_ = (version: string, chain: readonly Buffer[]): CellRecord =>
    judged('verify', (log) =>
      inside(log, chain).event({
        type: 'tls',
        state: 'up',
        conn: 'c1',
        side: 'client',
        version,
        cipher: 'TLS_AES_128_GCM_SHA256',
        resumed: false,
        clientChain: good,
      }),
    )
  t.ok(with_('TLSv1.2', good).flags.includes('leak.client-cert'), 'TLS 1.2 shows it')
  t.ok(with_('TLSv1.3', bad).flags.includes('leak.client-cert'), 'to an unverified peer')
  t.notOk(with_('TLSv1.3', good).flags.includes('leak.client-cert'))
  t.end()
})

t.test('canaries are found in every form, and across every boundary', (t) => {
  const content = (text: string): CellRecord =>
    judged('encrypt', (log) =>
      open(log).c(MAIL).s('250 a\r\n').c(RCPT).s('250 b\r\n').c('DATA\r\n').s('354 c\r\n').c(text).close(),
    )
  const hit = (record: CellRecord): string | undefined =>
    record.findings.find(({ flag }) => flag === 'leak.content-clear')?.detail
  t.match(hit(content(`x ${CANARIES.body}\r\n`)), /body canary in clear$/)
  for (const before of ['', 'a', 'ab'])
    t.match(hit(content(`${base64(`${before}${CANARIES.body}`)}\r\n`)), /as base64/, `alignment ${before.length}`)
  t.match(hit(content(`${CANARIES.body.slice(0, 5)}=\r\n${CANARIES.body.slice(5)}\r\n`)), /as quoted-printable/)
  const split = judged('encrypt', (log) => open(log).c(MAIL.slice(0, 20)).c(MAIL.slice(20)).s('530 no\r\n').quit())
  t.ok(split.flags.includes('leak.envelope-clear'), 'across chunks')
  const half = Math.floor(CANARIES.body.length / 2)
  const bdat = judged('encrypt', (log) =>
    open(log)
      .c(MAIL)
      .s('250 a\r\n')
      .c(RCPT)
      .s('250 b\r\n')
      .c(`BDAT ${half}\r\n${CANARIES.body.slice(0, half)}`)
      .s('250 c\r\n')
      .c(`BDAT ${CANARIES.body.length - half} LAST\r\n${CANARIES.body.slice(half)}`)
      .s('250 d\r\n')
      .quit(),
  )
  t.match(hit(bdat), /body canary/, 'across BDAT chunks')
  t.end()
})

t.test('where the evidence stands', (t) => {
  const record = judged('encrypt', (log) => open(log).c(MAIL).s('530 no\r\n').quit())
  const finding = record.findings.find(({ flag }) => flag === 'leak.envelope-clear')
  t.match(finding, { conn: 'c1', offset: 'EHLO client.badmx.test\r\n'.length + 'MAIL FROM:<'.length, weight: 'leak' })
  t.ok((finding?.atMs ?? 0) > 0)
  t.end()
})

t.test('the table has eight weights for each flag, and none that no detector or later work knows', (t) => {
  for (const [flag, { weights }] of Object.entries(FLAGS)) {
    const words = weights.split(' ')
    t.equal(words.length, 8, flag)
    t.ok(
      words.every((word) => ['leak', 'fail', 'flagged', 'info', '-'].includes(word)),
      flag,
    )
  }
  t.equal(weightOf('leak.envelope-clear', 'may'), undefined)
  t.equal(weightOf('leak.envelope-clear', 'implicit'), 'leak')
  t.end()
})
