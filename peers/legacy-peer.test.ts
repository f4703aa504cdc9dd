/** A peer with the legacy TLS engine: the same events, refusals and ends as with Node's, for real clients behind STARTTLS. */
import { constants } from 'node:crypto'
import { once } from 'node:events'
import t from 'tap'
import { type Peer, type PeerOptions, peer } from './peer.ts'
import { Client } from './testing/client.ts'
import { rsaCertificate } from './testing/legacy.ts'
import { authority, certificate, Log } from './testing/log.ts'
import type { LegacyTlsInput } from './tls/legacy/options.ts'

const OLD = { minVersion: 'TLSv1', ciphers: 'ALL@SECLEVEL=0' } as const

/** A ClientHello of TLS 1.0: AES128-SHA, AES256-SHA and the signalling value of RFC 5746. */
const HELLO = Buffer.from(`16030100310100002d0301${'07'.repeat(32)}000006002f003500ff0100`, 'hex')

async function serve(
  t: { teardown(done: () => unknown): void },
  legacy: LegacyTlsInput,
  stack: Parameters<typeof peer>[0] = [],
  tls: Partial<PeerOptions['tls']> = {},
): Promise<{ mx: Peer; log: Log }> {
  const log = new Log()
  const mx = await peer(stack, { log: log.sink, tls: { certificate: await rsaCertificate(), ...tls, legacy } })
  t.teardown(() => mx.close())
  return { mx, log }
}

t.test("a mail is delivered in TLS 1.0, and the log has what it has with Node's engine", async (t) => {
  const { mx, log } = await serve(t, { max: 'TLSv1', suites: ['AES128-SHA'] })
  const client = await Client.connect(mx.port)
  await client.secure(OLD)
  for (const line of ['EHLO client', 'MAIL FROM:<a@b.test>', 'RCPT TO:<c@d.test>', 'DATA']) await client.ask(line)
  t.equal(await client.ask('text\r\n.'), 250)
  t.equal(await client.ask('QUIT'), 221)
  t.equal(await log.ending(), 'peer fin')
  t.strictSame(log.tls(), ['hello', 'presented', 'up'])
  t.match(
    log.of('tls').find((event) => event.state === 'up'),
    { version: 'TLSv1', cipher: 'TLS_RSA_WITH_AES_128_CBC_SHA', resumed: false, clientChain: [] },
  )
  t.match(
    log.of('tls').find((event) => event.state === 'secret'),
    { line: /^CLIENT_RANDOM / },
  )
  t.match(log.octets('client', 'in', 'tls').toString(), /^EHLO client\r\nMAIL/)
  t.notMatch(log.octets('client', 'in', 'tcp').toString('latin1'), /MAIL/)
})

t.test('TLS on connect, and close without close_notify', async (t) => {
  const { mx, log } = await serve(
    t,
    {},
    [{ use: 'close-at', with: { at: 'after-delivery', in: 'tls', notify: false } }],
    {
      on: 'connect',
    },
  )
  const client = await Client.connect(mx.port)
  await client.startTls(OLD)
  t.match(await client.reply(), /^220 /)
  for (const line of ['EHLO client', 'MAIL FROM:<a@b.test>', 'RCPT TO:<c@d.test>', 'DATA']) await client.ask(line)
  t.equal(await client.ask('text\r\n.').catch(String), 250)
  t.equal(await log.ending(), 'peer fin')
})

t.test(
  'an alert of the client, a broken record, and a client that leaves end the session with their reason',
  async (t) => {
    const { mx, log } = await serve(t, { max: 'TLSv1' })
    const refusing = await Client.connect(mx.port)
    await refusing.secure({ minVersion: 'TLSv1.2' }).catch(() => {})
    t.equal(await log.ending('mx.1'), 'client error')
    t.match(
      log.of('tls').find((event) => event.state === 'failed'),
      { reason: 'the client sent the alert protocol_version', alert: 'protocol_version' },
    )
    const breaking = await Client.connect(mx.port)
    await breaking.secure(OLD)
    breaking.socket.write(Buffer.from('1703010020', 'hex'))
    breaking.socket.write(Buffer.alloc(32))
    t.equal(await log.ending('mx.2'), 'client error')
    t.match(
      log.of('tls').find((event) => event.state === 'failed' && event.conn === 'mx.2'),
      { reason: /^the (padding|MAC) of a record is wrong$/ },
    )
    const leaving = await Client.connect(mx.port)
    await leaving.reply()
    await leaving.ask('EHLO client')
    await leaving.ask('STARTTLS')
    leaving.socket.end(Buffer.from('160301', 'hex'))
    t.equal(await log.ending('mx.3'), 'client fin')
  },
)

t.test('what a client says in clear after a failed handshake is on record', async (t) => {
  const { mx, log } = await serve(t, { suites: ['RC4-SHA'] })
  const client = await Client.connect(mx.port)
  await client.reply()
  await client.ask('EHLO client')
  await client.ask('STARTTLS')
  client.socket.write(HELLO)
  await log.when((event) => event.type === 'tls' && event.state === 'failed')
  client.send('MAIL FROM:<a@b.test>\r\n')
  client.finish()
  await log.ending()
  t.equal(log.octets('client', 'in', 'tcp').toString(), 'EHLO client\r\nSTARTTLS\r\nMAIL FROM:<a@b.test>\r\n')
})

t.test("an end in mid-handshake is the peer's, and what it did is on record", async (t) => {
  for (const then of ['fin', 'rst'] as const) {
    const { mx, log } = await serve(t, {}, [{ use: 'break-handshake', with: { message: 'certificate', then } }])
    const client = await Client.connect(mx.port)
    await client.secure(OLD).catch(() => {})
    t.equal(await log.ending(), `peer ${then}`)
    t.strictSame(log.proofs(), ['opportunity break-handshake', 'fired break-handshake'])
    t.strictSame(log.tls(), ['hello', 'failed'], 'the certificate has not left')
  }
  const { mx, log } = await serve(t, {}, [{ use: 'break-handshake', with: { then: 'stall' } }])
  const client = await Client.connect(mx.port)
  client.secure(OLD).catch(() => {})
  await log.when((event) => event.type === 'tls' && event.state === 'failed')
  client.socket.destroy()
  t.match(await log.ending(), /^client (fin|rst)$/)
})

t.test('a client with nothing in common is refused by the peer, with an alert or without', async (t) => {
  for (const [stack, ending] of [
    [[], 'peer fin'],
    [['refuse-silently'], 'peer fin'],
    [[{ use: 'refuse-silently', with: { then: 'rst' } }], 'peer rst'],
  ] as const) {
    const { mx, log } = await serve(t, { suites: ['RC4-SHA'] }, stack)
    const client = await Client.connect(mx.port)
    await client.secure(OLD).catch(() => {})
    t.equal(await log.ending(), ending)
    t.match(
      log.of('tls').find((event) => event.state === 'failed'),
      { reason: /^no cipher suite in common/ },
    )
    t.strictSame(log.proofs(), stack.length === 0 ? [] : ['opportunity refuse-silently', 'fired refuse-silently'])
  }
})

t.test('a certificate fault has fired when its Certificate message left', async (t) => {
  const { mx, log } = await serve(t, {}, [], { certificate: await certificate('expired') })
  const client = await Client.connect(mx.port)
  await client.secure(OLD)
  t.strictSame(log.proofs(), ['opportunity certificate:expired', 'fired certificate:expired'])
  client.reset()
})

t.test('a client certificate is recorded as it was sent', async (t) => {
  const chain = await authority().clientChain('good')
  const { mx, log } = await serve(t, { max: 'TLSv1.1' }, [], { clientCertificate: 'request' })
  const client = await Client.connect(mx.port)
  await client.secure({ ...OLD, cert: chain.certPem, key: chain.keyPem })
  await client.ask('EHLO client')
  const [up] = log.of('tls').flatMap((event) => (event.state === 'up' ? [event] : []))
  t.same(up?.clientChain, chain.chain)
  client.reset()
})

t.test('resumption over connections', async (t) => {
  const { mx, log } = await serve(t, { max: 'TLSv1', secureRenegotiation: false })
  const options = { ...OLD, secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT }
  const first = await Client.connect(mx.port)
  const stream = await first.secure(options)
  await first.ask('EHLO client')
  const session = stream.getSession()
  first.finish()
  await log.ending()
  const second = await Client.connect(mx.port)
  const again = await second.secure(session === undefined ? options : { ...options, session })
  t.equal(await second.ask('EHLO client'), 250)
  t.ok(again.isSessionReused())
  second.reset()
})

t.test('the same seed gives the same octets', async (t) => {
  const hellos: string[] = []
  for (const seed of [5, 5, 6]) {
    const log = new Log()
    const tls = { certificate: await rsaCertificate(), legacy: { suites: ['AES128-SHA'] } }
    const mx = await peer([], { log: log.sink, seed, tls })
    const client = await Client.connect(mx.port)
    await client.reply()
    await client.ask('EHLO client')
    await client.ask('STARTTLS')
    client.socket.write(HELLO)
    const [flight] = (await once(client.socket, 'data')) as Buffer[]
    hellos.push(flight?.subarray(0, 80).toString('hex') ?? '')
    client.reset()
    await log.ending()
    await mx.close()
  }
  t.equal(hellos[0], hellos[1])
  t.not(hellos[0], hellos[2])
  t.match(hellos[0], /^1603010/)
})

t.test('weak on purpose: not beyond loopback, and its behaviours not without it', async (t) => {
  const tls = { certificate: await rsaCertificate(), legacy: {} }
  await t.rejects(peer([], { address: '0.0.0.0', tls }), {
    code: 'not-loopback',
    message: /weak on purpose.*--allow-remote/,
  })
  await t.rejects(peer([], { tls: { certificate: await certificate(), legacy: { suites: ['RC4-SHA'] } } }), {
    message: 'no cipher suite of RC4-SHA goes with a key of type ec: want a certificate with an RSA key',
  })
  await t.rejects(peer(['break-handshake'], { tls: { certificate: await certificate() } }), {
    code: 'stack',
    message: /acts inside the legacy TLS engine/,
  })
})
