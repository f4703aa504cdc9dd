/**
 * Real clients against the same stacks in a peer and in a proxy in front of one: what reaches the client is the same, octet
 * for octet, in clear and inside TLS. And an independent check of our STARTTLS: the same clients against smtp-server's own.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import t from 'tap'
import type { StackItem } from './behaviour.ts'
import { type Peer, peer, proxy } from './peer.ts'
import { Client } from './testing/client.ts'
import { certificate, Log } from './testing/log.ts'
import { missing, run, type Worker, worker } from './testing/programs.ts'

const STACKS: Readonly<Record<string, readonly StackItem[]>> = {
  sound: [],
  'hide-starttls': [{ use: 'hide-starttls' }],
  'refuse-starttls': [{ use: 'refuse-starttls' }],
  'inject-after-220': [{ use: 'inject-after-220' }],
  'segment-ehlo-reply': [{ use: 'segment-ehlo-reply', with: { octets: 7, gapMs: 1 } }],
  'withhold-ehlo-reply': [{ use: 'withhold-ehlo-reply', with: { withholdMs: 100 } }],
}

const MESSAGE = 'Subject: x\r\n\r\n.dots\r\ntext\r\n'

/** Reads ports, holds a session with each, and says in one line of JSON what smtplib told about it. */
const SMTPLIB = `
import io, json, smtplib, ssl, sys
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
for port in sys.stdin:
    told, sys.stderr = sys.stderr, io.StringIO()
    try:
        client = smtplib.SMTP('127.0.0.1', int(port), local_hostname='client', timeout=8)
        client.set_debuglevel(1)
        client.ehlo()
        client.starttls(context=context)
        client.sendmail('a@badmx.test', ['b@badmx.test'], 'Subject: x\\r\\n\\r\\n.dots\\r\\n')
        client.quit()
    except Exception as error:
        print(error, file=sys.stderr)
        try: client.close()
        except Exception: pass
    print(json.dumps(sys.stderr.getvalue()), flush=True)
    sys.stderr = told
`

let python: Worker | undefined
t.teardown(() => python?.close())

async function smtplib(port: number): Promise<string> {
  python ??= worker('python3', ['-c', SMTPLIB])
  return JSON.parse(await python.ask(String(port)))
}

interface Program {
  readonly needs?: string
  /** A session, whatever comes of it. */
  deliver(port: number): Promise<unknown>
}

const CLIENTS: Readonly<Record<string, Program>> = {
  'openssl s_client': {
    needs: 'openssl',
    deliver: (port) =>
      run(
        'openssl',
        ['s_client', '-starttls', 'smtp', '-name', 'client', '-connect', `127.0.0.1:${port}`, '-quiet', '-crlf'],
        'EHLO client\nQUIT\n',
      ),
  },
  curl: { needs: 'curl', deliver: curl },
  'python smtplib': { needs: 'python3', deliver: smtplib },
  'node:tls': { deliver: converse },
}

function curl(port: number) {
  const envelope = ['--mail-from', 'a@badmx.test', '--mail-rcpt', 'b@badmx.test']
  return run(
    'curl',
    // Without its progress meter, which on a busy machine stands before a line of the dialogue.
    ['-sv', '-k', '--ssl', '--max-time', '8', ...envelope, '-T', '-', `smtp://127.0.0.1:${port}/client`],
    MESSAGE,
  )
}

/** What a script says, and the codes that come back; goes on in clear where there is no TLS. */
async function converse(port: number): Promise<string[]> {
  const client = await Client.connect(port)
  const seen: string[] = []
  const ask = async (line: string): Promise<void> => void seen.push(`${line.split(' ')[0]} ${await client.ask(line)}`)
  try {
    await client.reply()
    for (const line of ['NOOP', 'EHLO client', 'MAIL FROM:<before@badmx.test>', 'STARTTLS']) await ask(line)
    if (seen.at(-1) === 'STARTTLS 220') await client.startTls()
    // RFC 3207 §4.2: the session starts afresh, the envelope is gone.
    for (const line of ['RCPT TO:<b@badmx.test>', 'EHLO client', 'RCPT TO:<b@badmx.test>']) await ask(line)
    for (const line of ['MAIL FROM:<a@badmx.test>', 'RCPT TO:<b@badmx.test>', 'DATA']) await ask(line)
    await ask(`${MESSAGE.replaceAll(/^\./gm, '..')}.`)
    await ask('QUIT')
    await client.ended()
  } catch (error) {
    seen.push(`ended: ${String(error)}`)
  }
  client.reset()
  return seen
}

interface Heard {
  readonly clear: string
  readonly secured: string
  readonly proofs: readonly string[]
}

/** What the first connection to a server heard. */
async function hear(open: (log: Log) => Promise<Peer>, deliver: (port: number) => Promise<unknown>): Promise<Heard> {
  const log = new Log()
  const server = await open(log)
  try {
    await deliver(server.port)
    await server.idle()
    const out = (layer: 'tcp' | 'tls') => log.octets('client', 'out', layer).toString('latin1')
    // s_client says its hello after a refusal too; how many lines a server sees in that is chance.
    return { clear: out('tcp').replace(/(?:500 [^\n]*\n)+$/, ''), secured: out('tls'), proofs: log.proofs() }
  } finally {
    await server.close()
  }
}

for (const [name, { needs, deliver }] of Object.entries(CLIENTS)) {
  t.test(
    `${name}: a peer and a proxy say the same`,
    { skip: needs === undefined ? false : (missing(needs) ?? false), timeout: 30_000 },
    async (t) => {
      const good = await certificate()
      const tls = { certificate: good }
      const behind = await peer([], { tls })
      t.teardown(() => behind.close())
      for (const [stack, members] of Object.entries(STACKS)) {
        const [own, intercepting, passing] = await Promise.all([
          hear((log) => peer(members, { tls, log: log.sink }), deliver),
          hear(
            (log) =>
              proxy(members, '127.0.0.1', behind.port, {
                intercept: { certificate: good, toServer: 'tls' },
                log: log.sink,
              }),
            deliver,
          ),
          hear((log) => proxy(members, '127.0.0.1', behind.port, { log: log.sink }), deliver),
        ])
        t.match(own.clear, /^220 /, `${stack}: something was said`)
        t.strictSame(intercepting, own, `${stack}: an intercepting proxy says the same`)
        t.equal(passing.clear, own.clear, `${stack}: a proxy that passes TLS through says the same in clear`)
        if (stack !== 'withhold-ehlo-reply') t.strictSame(passing.proofs, own.proofs, `${stack}: and proves the same`)
        if (stack === 'sound') t.match(own.secured, /^250-/m, 'the client comes as far as TLS')
      }
    },
  )
}

/** smtp-server with its own STARTTLS, without AUTH. */
async function independent(): Promise<{ port: number; close: () => Promise<void> }> {
  const { certPem, keyPem } = await certificate()
  const server = new SMTPServer({
    cert: certPem,
    key: keyPem,
    authOptional: true,
    disabledCommands: ['AUTH'],
    disableReverseLookup: true,
    logger: false,
    onData: (stream, _session, done) => {
      stream.on('end', () => done(null))
      stream.resume()
    },
  })
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  return {
    port: (server.server.address() as AddressInfo).port,
    close: () => new Promise((closed) => server.close(closed)),
  }
}

/** The verbs and codes of a session, from what a client prints about it. */
function dialogue(printed: string): string[] {
  const found = printed.matchAll(/^(?:> |send: ')(\w+)|^(?:< |reply: b')(\d{3}) /gm)
  return [...found].map(([, verb, code]) => verb?.toUpperCase() ?? code ?? '')
}

t.test("the same session against smtp-server's own STARTTLS", async (t) => {
  const theirs = await independent()
  t.teardown(() => theirs.close())
  const ours = await peer([], { tls: { certificate: await certificate() } })
  t.teardown(() => ours.close())
  const spoken = await converse(ours.port)
  t.strictSame(await converse(theirs.port), spoken, 'node:tls')
  t.equal(spoken.at(-1), 'QUIT 221')
  for (const [name, program, deliver] of [
    ['curl', 'curl', async (port: number) => (await curl(port)).stderr],
    ['python smtplib', 'python3', smtplib],
  ] as const) {
    const reason = missing(program)
    if (reason !== undefined) {
      t.pass(name, { skip: reason })
      continue
    }
    const [our, their] = [await deliver(ours.port), await deliver(theirs.port)]
    t.strictSame(dialogue(our), dialogue(their), name)
    t.match(
      dialogue(our).join(' '),
      /EHLO 250 STARTTLS 220 EHLO 250 MAIL 250 RCPT 250 DATA 354 .*250/,
      `${name} delivers`,
    )
  }
})

t.test('openssl s_client refuses a certificate with an alert', { skip: missing('openssl') ?? false }, async (t) => {
  for (const version of ['-tls1_2', '-tls1_3']) {
    const log = new Log()
    const mx = await peer([], { tls: { certificate: await certificate('untrusted-ca') }, log: log.sink })
    t.teardown(() => mx.close())
    await run('openssl', [
      's_client',
      version,
      '-starttls',
      'smtp',
      '-connect',
      `127.0.0.1:${mx.port}`,
      '-verify_return_error',
      '-quiet',
    ])
    await log.ending()
    t.match(
      log.of('tls').at(-1),
      { state: 'failed', alert: /^(unknown_ca|bad_certificate|certificate_unknown)$/ },
      version,
    )
    t.strictSame(log.proofs(), ['opportunity certificate:untrusted-ca', 'fired certificate:untrusted-ca'])
  }
})
