import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SMTPServer } from 'smtp-server'
import t, { type Test as Tap } from 'tap'
import { type Authority, createAuthority } from '../../peers/certificates/authority.ts'
import type { HelloSeen } from '../../peers/events.ts'
import { peer } from '../../peers/index.ts'
import type { ClientWord, Delivery } from '../../scenarios/client.ts'
import { POLICIES, type Policy, wantsDns } from '../../scenarios/policy.ts'
import { allScenarios } from '../catalogue.ts'
import { DANE_FLAWS } from './reference/flaws/dane.ts'
import { QUEUE_FLAWS } from './reference/flaws/queue.ts'
import { SESSION_FLAWS } from './reference/flaws/sessions.ts'
import { type Script, scriptedServer } from './reference/scripted-server.ts'
import { client, FLAWS, referenceWith } from './reference.ts'

const HOST = 'mx.badmx.test'
const CREDENTIALS = { user: 'user-canary', password: 'password-canary' }
const SECRET = Buffer.from(`\0${CREDENTIALS.user}\0${CREDENTIALS.password}`).toString('base64')
const MESSAGE = Buffer.from('Subject: hello\r\n\r\n.dot\r\nbody\r\n')

let authority: Authority | undefined
let folder: string | undefined
t.teardown(() => folder && rm(folder, { recursive: true }))

async function issue(fault: string) {
  authority ??= createAuthority({ now: new Date(), seed: 1 })
  return authority.issue(fault, { host: HOST, domain: 'badmx.test' })
}

async function delivery(port: number, changes: Partial<Delivery>): Promise<Delivery> {
  await issue('good')
  folder ??= await mkdtemp(join(tmpdir(), 'badmx-reference-'))
  const caFile = join(folder, 'ca.pem')
  await writeFile(caFile, authority?.rootPem ?? '')
  return {
    cell: 'reference/test',
    policy: 'may',
    hostName: HOST,
    address: '127.0.0.1',
    port,
    hosts: [{ name: HOST, preference: 10, address: '127.0.0.1', port }],
    from: 'sender@badmx.test',
    to: ['recipient@badmx.test'],
    message: MESSAGE,
    caFile,
    folder,
    timeScale: 10,
    deadlineMs: 20_000,
    ...changes,
  }
}

interface Row {
  readonly flaw: string
  readonly policy: Policy
  readonly script?: Script
  /** The certificate of the server. */
  readonly fault?: string
  /** Of each later delivery of the same client. */
  readonly later?: { readonly script?: Script; readonly fault?: string }
  readonly password?: true
  /** What only the flawed client does. */
  readonly wrong: (run: Run) => boolean
}

interface Run {
  readonly word: ClientWord
  readonly lines: readonly string[]
}

/** Flaws of time and of segments, tested in reference/session.test.ts. */
const WITHOUT_SOCKETS = [
  'impatient',
  'lose-partial-lines',
  'starttls-instead-of-implicit',
  'truncate-at-nul',
  'wait-forever',
  'weak-bounded-wait',
]

const clearMail = ({ lines }: Run) => lines.some((line) => /^\d clear MAIL/.test(line))
const delivers = ({ word }: Run) => word.state === 'delivered'
const refuses = ({ word }: Run) => word.state !== 'delivered'
const handshakes = ({ word }: Run) => word.log.some((line) => /^TLS:|handshake:/.test(line + word.reason))
const reconnects = (run: Run) => run.lines.some((line) => line.startsWith('2 clear MAIL'))
const sees = (pattern: RegExp) => (run: Run) => run.lines.some((line) => pattern.test(line))
const is = (state: ClientWord['state']) => (run: Run) => run.word.state === state

const offers = (...lines: string[]) => ({
  EHLO: `250-mx\r\n${lines.map((line) => `250-${line}\r\n`).join('')}250 HELP\r\n`,
})
const PLAIN_AUTH = { ...offers('AUTH PLAIN'), AUTH: '235 ok\r\n' }
const noTls: Script = { clear: offers() }
/** Answers STARTTLS with `reply`, and TLS with SMTP. */
const answersStartTls = (reply: string): Script => ({
  clear: {
    STARTTLS: (talk) => {
      talk.answerTlsWith('500 no TLS here\r\n')
      talk.write(reply)
    },
  },
})
const injected = (text: string): Script => ({
  clear: {
    STARTTLS: (talk) => {
      talk.write(`220 go\r\n${text}`)
      talk.startTls()
    },
  },
  // The EHLO reply is withheld: nothing but QUIT may follow.
  tls: { EHLO: '', RCPT: (talk) => talk.end() },
})
const speaksInsteadOfTls = answersStartTls('220 go\r\n')
const ROWS: readonly Row[] = [
  // Replies
  {
    flaw: 'stop-at-first-reply-line',
    policy: 'verify',
    script: answersStartTls('220-go\r\n454 no\r\n'),
    wrong: handshakes,
  },
  {
    flaw: 'stop-at-first-reply-line',
    policy: 'verify',
    script: {
      clear: {
        STARTTLS: (talk) => {
          talk.write('220-go\r\n220 on\r\n')
          talk.startTls()
        },
      },
    },
    wrong: refuses,
  },
  { flaw: 'one-line-banner', policy: 'may', script: { clear: { banner: '220-mx\r\n220 mx\r\n' } }, wrong: refuses },
  { flaw: 'refuse-bare-codes', policy: 'may', script: { clear: { banner: '220\r\n' } }, wrong: refuses },
  {
    flaw: 'first-lines-only',
    policy: 'may',
    script: { clear: offers(...Array.from({ length: 200 }, (_, at) => `X${at}`), 'STARTTLS') },
    wrong: clearMail,
  },
  {
    flaw: 'short-line-buffer',
    policy: 'may',
    script: { clear: offers('X'.repeat(4096), 'STARTTLS') },
    wrong: clearMail,
  },
  { flaw: 'ignore-nul', policy: 'may', script: { clear: offers('START\0TLS') }, wrong: sees(/STARTTLS/) },
  {
    flaw: 'stale-replies',
    policy: 'may',
    script: { clear: { EHLO: '250-mx\r\n250 STARTTLS\r\n220 go\r\n', ...answersStartTls('').clear } },
    wrong: handshakes,
  },
  {
    flaw: 'believe-early-success',
    policy: 'none',
    script: { clear: { DATA: '354 go\r\n250 queued\r\n', dot: '451 no\r\n' } },
    wrong: delivers,
  },
  { flaw: 'crash-on-garbage', policy: 'may', script: answersStartTls('XYZ garbage\r\n'), wrong: is('crashed') },
  { flaw: 'crash-on-garbage', policy: 'may', script: { clear: offers('\xd0\x85TARTTLS') }, wrong: is('crashed') },
  {
    flaw: 'answer-334-with-credentials',
    policy: 'verify',
    password: true,
    script: answersStartTls('334 UGFzc3dvcmQ6\r\n'),
    wrong: sees(new RegExp(`clear ${SECRET}`)),
  },
  { flaw: 'case-sensitive-keywords', policy: 'may', script: { clear: offers('starttls') }, wrong: clearMail },
  { flaw: 'strict-ehlo-lines', policy: 'may', script: { clear: offers('STARTTLS ') }, wrong: clearMail },
  { flaw: 'strict-ehlo-lines', policy: 'may', script: { clear: offers(' STARTTLS') }, wrong: clearMail },
  { flaw: 'strict-ehlo-lines', policy: 'may', script: { clear: offers('\tSTARTTLS') }, wrong: clearMail },
  { flaw: 'strict-ehlo-lines', policy: 'may', script: { clear: offers('STARTTLS OPTIONAL') }, wrong: clearMail },
  { flaw: 'strict-ehlo-lines', policy: 'may', script: { clear: { EHLO: '250 STARTTLS\r\n' } }, wrong: clearMail },
  { flaw: 'substring-keywords', policy: 'may', script: { clear: offers('NOSTARTTLS') }, wrong: sees(/ STARTTLS/) },
  { flaw: 'no-esmtp-no-ehlo', policy: 'may', script: { clear: { banner: '220 mx ready\r\n' } }, wrong: clearMail },
  { flaw: 'pix-mode', policy: 'may', script: { clear: { banner: '220 ***0*2***0***\r\n' } }, wrong: clearMail },
  { flaw: 'pix-mode', policy: 'may', script: { clear: { banner: '220\r\n' } }, wrong: clearMail },

  // STARTTLS
  {
    flaw: 'believe-injected-replies',
    policy: 'verify',
    script: injected('250 one\r\n250 two\r\n'),
    wrong: sees(/tls MAIL/),
  },
  {
    flaw: 'believe-injected-replies',
    policy: 'verify',
    script: injected('250 one\n250 two\n'),
    wrong: sees(/tls MAIL/),
  },
  {
    flaw: 'keep-fragments',
    policy: 'verify',
    password: true,
    script: {
      ...injected('250-AUTH PLAIN '),
      tls: { EHLO: '250-mx\r\n250 HELP\r\n', AUTH: '235 ok\r\n' },
    },
    wrong: sees(/tls AUTH/),
  },
  {
    flaw: 'keep-pretls-capabilities',
    policy: 'verify',
    password: true,
    script: {
      clear: offers('STARTTLS', 'AUTH LOGIN'),
      tls: { ...offers('AUTH SCRAM-SHA-256'), AUTH: '334 VXNlcg==\r\n' },
    },
    wrong: sees(/tls AUTH LOGIN/),
  },
  {
    flaw: 'keep-pretls-capabilities',
    policy: 'verify',
    script: { clear: offers('STARTTLS', 'SIZE 1'), tls: offers('SIZE 10000000') },
    wrong: refuses,
  },
  { flaw: 'other-name-in-tls', policy: 'verify', wrong: sees(/tls EHLO localhost/) },
  { flaw: 'no-second-ehlo', policy: 'verify', wrong: (run) => !sees(/tls EHLO/)(run) },
  {
    flaw: 'starttls-twice',
    policy: 'may',
    script: { clear: offers('STARTTLS', 'STARTTLS') },
    wrong: sees(/tls STARTTLS/),
  },
  { flaw: 'starttls-in-tls', policy: 'may', wrong: sees(/tls STARTTLS/) },
  {
    flaw: 'pipeline-after-starttls',
    policy: 'may',
    wrong: sees(/clear \(too early\) EHLO/),
  },
  {
    flaw: 'command-after-220',
    policy: 'may',
    script: speaksInsteadOfTls,
    wrong: ({ lines }) => lines.filter((line) => /clear EHLO/.test(line)).length > 1,
  },
  { flaw: 'accept-any-2xx-for-starttls', policy: 'encrypt', script: answersStartTls('250 ok\r\n'), wrong: handshakes },
  { flaw: 'accept-any-2xx-for-starttls', policy: 'encrypt', script: answersStartTls('299 ok\r\n'), wrong: handshakes },
  {
    flaw: 'accept-any-reply-for-starttls',
    policy: 'encrypt',
    script: answersStartTls('XYZ garbage\r\n'),
    wrong: handshakes,
  },
  {
    flaw: 'accept-any-reply-for-starttls',
    policy: 'encrypt',
    script: answersStartTls('354 go\r\n'),
    wrong: handshakes,
  },
  { flaw: 'ignore-starttls-refusal', policy: 'encrypt', script: answersStartTls('454 no\r\n'), wrong: clearMail },
  { flaw: 'ignore-starttls-refusal', policy: 'verify', script: answersStartTls('554 no\r\n'), wrong: clearMail },
  { flaw: 'ignore-missing-starttls', policy: 'verify', script: noTls, wrong: clearMail },
  { flaw: 'helo-fallback', policy: 'encrypt', script: { clear: { EHLO: '502 no\r\n' } }, wrong: clearMail },
  { flaw: 'helo-fallback', policy: 'may', password: true, script: { clear: { EHLO: '502 no\r\n' } }, wrong: clearMail },
  { flaw: 'reconnect-cleartext', policy: 'verify', script: speaksInsteadOfTls, wrong: reconnects },
  {
    flaw: 'reconnect-cleartext',
    policy: 'may',
    script: { clear: { EHLO: (talk) => (talk.visit === 1 ? talk.reset() : talk.write('250 mx\r\n')) } },
    wrong: reconnects,
  },
  {
    flaw: 'reconnect-cleartext',
    policy: 'encrypt',
    script: { clear: { STARTTLS: (talk) => talk.end() } },
    wrong: reconnects,
  },
  {
    flaw: 'retry-plaintext-at-once',
    policy: 'verify',
    script: { clear: { EHLO: (talk) => talk.write(talk.visit === 1 ? '451 no\r\n' : '250 mx\r\n') } },
    wrong: reconnects,
  },
  {
    flaw: 'continue-cleartext-after-handshake-failure',
    policy: 'verify',
    script: speaksInsteadOfTls,
    wrong: clearMail,
  },
  {
    flaw: 'auth-in-clear',
    policy: 'may',
    password: true,
    script: { clear: PLAIN_AUTH },
    wrong: sees(new RegExp(`clear AUTH PLAIN ${SECRET}`)),
  },
  {
    flaw: 'auth-without-advertisement',
    policy: 'verify',
    password: true,
    script: { tls: { AUTH: '235 ok\r\n' } },
    wrong: sees(/tls AUTH/),
  },
  { flaw: 'deliver-without-auth', policy: 'may', password: true, script: noTls, wrong: clearMail },

  // Certificates
  { flaw: 'skip-name-check', policy: 'verify', fault: 'wrong-name', wrong: delivers },
  { flaw: 'skip-chain-check', policy: 'verify', fault: 'untrusted-ca', wrong: delivers },
  { flaw: 'skip-chain-check', policy: 'implicit', fault: 'self-signed', script: { onConnect: 'tls' }, wrong: delivers },
  { flaw: 'skip-validity-check', policy: 'verify', fault: 'expired', wrong: delivers },
  { flaw: 'skip-validity-check', policy: 'verify', fault: 'not-yet-valid', wrong: delivers },
  { flaw: 'ignore-basic-constraints', policy: 'verify', fault: 'leaf-as-ca', wrong: delivers },
  { flaw: 'ignore-path-length', policy: 'verify', fault: 'pathlen', wrong: delivers },
  { flaw: 'ignore-name-constraints', policy: 'verify', fault: 'name-constraints', wrong: delivers },
  { flaw: 'ignore-eku', policy: 'verify', fault: 'eku-client-only', wrong: delivers },
  { flaw: 'ignore-staple', policy: 'verify', fault: 'ocsp-revoked', wrong: delivers },
  { flaw: 'accept-weak-signatures', policy: 'verify', fault: 'md5-leaf', wrong: delivers },
  { flaw: 'accept-weak-signatures', policy: 'verify', fault: 'sha1-leaf', wrong: delivers },
  { flaw: 'refuse-short-rsa-keys', policy: 'may', fault: 'rsa-1024', wrong: refuses },
  { flaw: 'partial-wildcards', policy: 'verify', fault: 'san-wildcard-partial', wrong: delivers },
  { flaw: 'deep-wildcards', policy: 'verify', fault: 'san-wildcard-deep', wrong: delivers },
  { flaw: 'match-cn', policy: 'verify', fault: 'cn-only', wrong: delivers },
  { flaw: 'nul-terminated-names', policy: 'verify', fault: 'nul-in-san', wrong: delivers },
  { flaw: 'nul-terminated-names', policy: 'verify', fault: 'nul-in-cn', wrong: delivers },
  { flaw: 'subject-string-matching', policy: 'verify', fault: 'san-inject', wrong: delivers },
  { flaw: 'match-any-san', policy: 'verify', fault: 'san-ip-only', wrong: delivers },
  { flaw: 'match-any-san', policy: 'verify', fault: 'san-uri-only', wrong: delivers },
  { flaw: 'case-sensitive-names', policy: 'verify', fault: 'case', wrong: refuses },
  { flaw: 'require-valid-certificate', policy: 'may', fault: 'expired', wrong: refuses },
  { flaw: 'require-valid-certificate', policy: 'encrypt', fault: 'self-signed', wrong: refuses },
  { flaw: 'cleartext-after-certificate-failure', policy: 'may', fault: 'expired', wrong: reconnects },
  { flaw: 'require-crl', policy: 'may', fault: 'revoked-crl', wrong: refuses },
  { flaw: 'require-staple', policy: 'may', fault: 'must-staple-missing', wrong: refuses },
  { flaw: 'refuse-large-certificates', policy: 'may', fault: 'huge-san', wrong: refuses },
  {
    flaw: 'memory-pins-first-certificate',
    policy: 'may',
    fault: 'self-signed',
    later: { fault: 'good' },
    wrong: refuses,
  },

  // Time limits and reports
  { flaw: 'bounce-at-once', policy: 'verify', script: noTls, wrong: is('bounced') },
  { flaw: 'bounce-at-once', policy: 'may', script: speaksInsteadOfTls, wrong: is('bounced') },
  { flaw: 'bounce-when-tls-vanishes', policy: 'may', later: { script: noTls }, wrong: is('bounced') },
  { flaw: 'report-success-always', policy: 'verify', script: noTls, wrong: delivers },
  { flaw: 'bounce-on-4yz', policy: 'none', script: { clear: { RCPT: '451 later\r\n' } }, wrong: is('bounced') },
  { flaw: 'success-when-lost', policy: 'none', script: { clear: { dot: (talk) => talk.reset() } }, wrong: delivers },
  { flaw: 'success-when-lost', policy: 'may', script: { tls: { dot: (talk) => talk.end() } }, wrong: delivers },
  { flaw: 'quit-decides', policy: 'none', script: { clear: { QUIT: (talk) => talk.end() } }, wrong: refuses },
  // Greetings
  {
    flaw: 'ignore-banner-code',
    policy: 'none',
    script: { clear: { banner: '554 no\r\n' } },
    wrong: sees(/clear EHLO/),
  },
  {
    flaw: 'ignore-refused-greeting',
    policy: 'may',
    script: { clear: { EHLO: '550 no\r\n', HELO: '550 no\r\n' } },
    wrong: clearMail,
  },
  { flaw: 'any-2yz', policy: 'none', script: { clear: { EHLO: '251 mx\r\n' } }, wrong: clearMail },
  { flaw: 'ignore-starttls-offer', policy: 'may', script: {}, wrong: clearMail },
  // Passwords
  {
    flaw: 'auth-before-starttls',
    policy: 'may',
    password: true,
    script: { clear: { ...offers('STARTTLS', 'AUTH PLAIN'), AUTH: '235 ok\r\n' }, tls: PLAIN_AUTH },
    wrong: sees(/clear AUTH PLAIN/),
  },
  {
    flaw: 'pipeline-auth-after-starttls',
    policy: 'may',
    password: true,
    script: { clear: { ...offers('STARTTLS', 'AUTH PLAIN'), STARTTLS: '454 no\r\n', AUTH: '504 no\r\n' } },
    wrong: sees(/AUTH PLAIN/),
  },
  {
    flaw: 'retry-with-weaker-mechanism',
    policy: 'may',
    password: true,
    script: {
      clear: {
        ...offers('AUTH SCRAM-SHA-256 PLAIN'),
        AUTH: (talk, line) => talk.write(line.includes('SCRAM') ? '535 no\r\n' : '235 ok\r\n'),
      },
    },
    wrong: sees(/clear AUTH PLAIN/),
  },
  {
    flaw: 'answer-every-challenge',
    policy: 'verify',
    password: true,
    script: { tls: { ...offers('AUTH PLAIN'), AUTH: '334 \r\n', '*': '334 \r\n' } },
    wrong: ({ lines }) => lines.filter((line) => line.includes(SECRET)).length > 1,
  },
  {
    flaw: 'no-auth-equals',
    policy: 'verify',
    password: true,
    script: { tls: { ...PLAIN_AUTH, ...offers('AUTH=PLAIN LOGIN') } },
    wrong: refuses,
  },
  {
    flaw: 'log-passwords',
    policy: 'verify',
    password: true,
    script: { tls: PLAIN_AUTH },
    wrong: ({ word }) => word.log.some((line) => line.includes(SECRET)),
  },
  // Replies that no client should fall over
  { flaw: 'crash-on-bare-code', policy: 'may', script: { clear: { banner: '220\r\n' } }, wrong: is('crashed') },
  { flaw: 'crash-on-format-string', policy: 'may', script: { clear: { banner: '220 %n\r\n' } }, wrong: is('crashed') },
  { flaw: 'crash-on-odd-size', policy: 'may', script: { clear: offers('SIZE -1') }, wrong: is('crashed') },
  {
    flaw: 'crash-on-long-line',
    policy: 'may',
    script: { clear: { banner: `220 ${'x'.repeat(2 ** 21)}\r\n` } },
    wrong: is('crashed'),
  },
  {
    flaw: 'endless-replies',
    policy: 'none',
    script: { clear: { EHLO: `${'250-x\r\n'.repeat(40_000)}250 HELP\r\n` } },
    wrong: delivers,
  },
  {
    flaw: 'many-lines-cut-short',
    policy: 'may',
    script: { clear: { EHLO: `${'250-x\r\n'.repeat(40_000)}250 STARTTLS\r\n` } },
    wrong: clearMail,
  },
  {
    flaw: 'continue-odd-lines',
    policy: 'none',
    script: { clear: { EHLO: '2\r\n25\r\n250 HELP\r\n' } },
    wrong: delivers,
  },
  {
    flaw: 'raw-log',
    policy: 'none',
    script: { clear: { banner: '220 mx \x1b[2K\r\n' } },
    wrong: ({ word }) => word.log.some((line) => line.includes('\x1b')),
  },
]

async function run(t: Tap, row: Row, flaws: readonly string[]): Promise<Run> {
  const running = await referenceWith(flaws).start()
  t.teardown(() => running.stop())
  const once = async (script: Script | undefined, fault = 'good'): Promise<Run> => {
    const server = await scriptedServer(t, { ...script, identity: await issue(fault) })
    const word = await running.deliver(
      await delivery(server.port, {
        policy: row.policy,
        ...(row.password && { credentials: CREDENTIALS }),
      }),
      AbortSignal.timeout(15_000),
    )
    await server.quiet()
    return { word, lines: server.lines }
  }
  const first = await once(row.script, row.fault)
  return row.later === undefined ? first : once(row.later.script, row.later.fault)
}

t.setTimeout(110_000)

t.test('every flaw does its wrong thing, and the correct client does not', async (t) => {
  for (const row of ROWS) {
    await t.test(`${row.flaw}, ${row.policy}${row.fault === undefined ? '' : `, ${row.fault}`}`, async (t) => {
      const flawed = await run(t, row, [row.flaw])
      t.ok(row.wrong(flawed), 'the flawed client does it', { found: flawed })
      const correct = await run(t, row, [])
      t.notOk(row.wrong(correct), 'the correct client does not', { found: correct })
      t.notMatch(correct.word.state, /crashed|hung/)
    })
  }
  await t.test('cleartext-after-close-notify', async (t) => {
    for (const [flaws, state] of [
      [['cleartext-after-close-notify'], 'delivered'],
      [[], 'failed'],
    ] as const) {
      const certificate = await issue('good')
      const mx = await peer(['end-tls-continue-clear'], { tls: { certificate }, hostName: HOST })
      t.teardown(() => mx.close())
      const running = await referenceWith(flaws).start()
      const word = await running.deliver(await delivery(mx.port, { policy: 'verify' }), AbortSignal.timeout(15_000))
      t.equal(word.state, state, word.reason, { found: word })
    }
  })
  await t.test('refuse-short-groups', async (t) => {
    const certificate = await issue('rsa')
    const tls = { certificate, max: 'TLSv1.2', ciphers: 'DHE-RSA-AES128-GCM-SHA256', diffieHellman: 1024 } as const
    const mx = await peer([], { tls, hostName: HOST })
    t.teardown(() => mx.close())
    for (const [flaws, state] of [
      [['refuse-short-groups'], 'failed'],
      [[], 'delivered'],
    ] as const) {
      const running = await referenceWith(flaws).start()
      const word = await running.deliver(await delivery(mx.port, { policy: 'verify' }), AbortSignal.timeout(15_000))
      t.equal(word.state, state, word.reason, { found: word })
    }
  })
  await t.test('what it offers in its ClientHello, and when it is refused', async (t) => {
    const hellosOf = async (flaws: readonly string[]): Promise<readonly HelloSeen[]> => {
      const hellos: HelloSeen[] = []
      const certificate = await issue('good')
      const mx = await peer(['answer-client-hello'], {
        tls: { certificate },
        log: (event) => event.type === 'tls' && event.state === 'hello' && hellos.push(event.hello),
      })
      t.teardown(() => mx.close())
      const running = await referenceWith(flaws).start()
      const word = await running.deliver(await delivery(mx.port, { policy: 'encrypt' }), AbortSignal.timeout(15_000))
      t.equal(word.state, 'failed', word.reason)
      return hellos
    }
    const shown = (hellos: readonly HelloSeen[]): unknown =>
      hellos.map(({ versions, serverName }) => [versions.includes(0x0304), serverName])
    t.same(shown(await hellosOf([])), [[true, HOST]])
    t.same(shown(await hellosOf(['no-server-name'])), [[true, undefined]])
    t.same(shown(await hellosOf(['version-dance'])), [
      [true, HOST],
      [false, HOST],
    ])
  })
  const seenInHellos = ['no-server-name', 'version-dance']
  const tested = new Set([
    ...ROWS.map(({ flaw }) => flaw),
    ...WITHOUT_SOCKETS,
    ...seenInHellos,
    // In reference-mta.test.ts.
    ...Object.keys(QUEUE_FLAWS),
    'cleartext-after-close-notify',
    // In reference/sessions.test.ts.
    ...Object.keys(SESSION_FLAWS),
    // Each is caught by a scenario: below, and mutation.test.ts.
    ...Object.keys(DANE_FLAWS),
    'refuse-short-groups',
  ])
  t.same(
    Object.keys(FLAWS).filter((flaw) => !tested.has(flaw)),
    [],
    'no flaw without a test',
  )
})

t.test('every flaw around DANE is one that a scenario catches', async (t) => {
  const caught = new Set((await allScenarios()).map(({ flaw }) => flaw.name))
  t.same(
    Object.keys(DANE_FLAWS).filter((flaw) => !caught.has(flaw)),
    [],
  )
})

t.test('a flaw of the chain forgives its own fault only', async (t) => {
  const own: Readonly<Record<string, string>> = {
    'skip-validity-check': 'expired',
    'ignore-basic-constraints': 'leaf-as-ca',
    'ignore-path-length': 'pathlen',
    'ignore-name-constraints': 'name-constraints',
    'ignore-eku': 'eku-client-only',
    'accept-weak-signatures': 'md5-leaf',
  }
  for (const flaw of Object.keys(own)) {
    for (const fault of [...Object.values(own), 'good', 'untrusted-ca', 'incomplete-chain', 'wrong-name']) {
      const { word } = await run(t, { flaw, policy: 'verify', fault, wrong: delivers }, [flaw])
      const accepts = fault === 'good' || fault === own[flaw]
      t.equal(word.state, accepts ? 'delivered' : 'failed', `${flaw}, ${fault}: ${word.reason}`)
    }
  }
})

t.test("against smtp-server's own STARTTLS", async (t) => {
  const { certPem, keyPem } = await issue('good')
  for (const policy of POLICIES) {
    const stored: { body: string; secure: boolean; user: string }[] = []
    const server = new SMTPServer({
      key: keyPem,
      cert: certPem,
      secure: policy === 'implicit',
      authOptional: true,
      onAuth: ({ username, password }, _session, done) =>
        password === CREDENTIALS.password ? done(null, { user: username ?? '' }) : done(new Error('no')),
      onData(stream, session, done) {
        let body = ''
        stream.on('data', (chunk: Buffer) => {
          body += chunk.toString('latin1')
        })
        stream.on('end', () => {
          stored.push({ body, secure: session.secure, user: String(session.user || '') })
          done()
        })
      },
    })
    server.on('error', () => {})
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', () => listening()))
    t.teardown(() => new Promise<void>((closed) => server.close(closed)))
    const address = server.server.address()
    const port = address !== null && typeof address === 'object' ? address.port : 0
    const running = await client.start()
    const withPassword = policy === 'verify'
    const word = await running.deliver(
      await delivery(port, { policy, hostName: `${HOST}.`, ...(withPassword && { credentials: CREDENTIALS }) }),
      AbortSignal.timeout(15_000),
    )
    if ('unsupported' in client.policies[policy] || wantsDns(policy)) {
      t.equal(word.state, 'unsupported', policy)
      continue
    }
    t.equal(word.state, 'delivered', `${policy}: ${word.reason}`)
    const secure = policy !== 'none'
    t.same(stored, [{ body: MESSAGE.toString('latin1'), secure, user: withPassword ? CREDENTIALS.user : '' }], policy)
    t.same(word.claims, { encrypted: secure, verified: policy === 'verify' || policy === 'implicit' }, policy)
    t.notMatch(word.log.join('\n'), SECRET, 'the log keeps the secret')
  }
})

t.test('words for what the server says', async (t) => {
  const cases: readonly [string, Script['clear'], Partial<ClientWord>][] = [
    ['451 to RCPT', { RCPT: '451 later\r\n' }, { state: 'failed', kind: 'temporary' }],
    ['550 to RCPT', { RCPT: '550 no\r\n' }, { state: 'failed', kind: 'permanent' }],
    ['LF only', { EHLO: '250-mx\n250 HELP\n' }, { state: 'failed', kind: 'temporary' }],
    ['CR only', { EHLO: '250-mx\r250 HELP\r' }, { state: 'failed', kind: 'temporary' }],
    ['no end', { EHLO: '250-X\r\n'.repeat(30_000) }, { state: 'failed', kind: 'temporary' }],
    ['a 251 to the dot', { dot: '251 hm\r\n' }, { state: 'failed', kind: 'temporary' }],
    ['silence after QUIT', { QUIT: (talk) => talk.end() }, { state: 'delivered' }],
  ]
  for (const [title, clear, expected] of cases) {
    const server = await scriptedServer(t, { clear: clear ?? {} })
    const running = await client.start()
    const word = await running.deliver(await delivery(server.port, { policy: 'none' }), AbortSignal.timeout(15_000))
    t.match(word, expected, title)
  }
})

t.test('a silent server is left when its time is over', async (t) => {
  const server = await scriptedServer(t, { clear: { EHLO: '' } })
  const running = await client.start()
  const word = await running.deliver(await delivery(server.port, { timeScale: 5_000 }), AbortSignal.timeout(15_000))
  t.match(word, { state: 'failed', kind: 'temporary', reason: /no answer within/ })
  await server.quiet()
})

t.test('stop and abort end a delivery at once', async (t) => {
  const silent = await scriptedServer(t, { clear: { EHLO: '' } })
  const running = await client.start()
  const controller = new AbortController()
  const aborted = running.deliver(await delivery(silent.port, {}), controller.signal)
  controller.abort()
  t.match(await aborted, { state: 'hung' })
  const stopped = running.deliver(await delivery(silent.port, {}), new AbortController().signal)
  await running.stop()
  t.match(await stopped, { state: 'hung' })
  await silent.quiet()
})

t.test('names of flaws', async (t) => {
  t.throws(() => referenceWith(['sorcery']), { message: /no flaw "sorcery"; known: accept-any-2xx/ })
  t.throws(() => referenceWith(['constructor']), RangeError)
  t.equal(referenceWith(['skip-name-check']).id, 'reference')
  t.match(referenceWith(['skip-name-check']).name, /skip-name-check/)
})
