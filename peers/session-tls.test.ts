import { createHash } from 'node:crypto'
import { connect as connectTcp, createServer } from 'node:net'
import { connect as connectTls } from 'node:tls'
import t from 'tap'
import { type Peer, type PeerOptions, peer, type Stacks } from './peer.ts'
import { Client } from './testing/client.ts'
import { authority, certificate, Log } from './testing/log.ts'

interface Test {
  teardown(what: () => Promise<void> | void): void
}

async function serve(t: Test, stack: Stacks, options: PeerOptions = {}): Promise<{ mx: Peer; log: Log }> {
  const log = new Log()
  const mx = await peer(stack, { log: log.sink, ...options })
  t.teardown(() => mx.close())
  return { mx, log }
}

/** A client that has said STARTTLS and heard the 220. */
async function ready(port: number): Promise<Client> {
  const client = await Client.connect(port)
  await client.reply()
  await client.ask('EHLO client')
  await client.ask('STARTTLS')
  return client
}

/** An alert record in clear: fatal, with this description (RFC 8446 §6). */
function alert(description: number): Buffer {
  return Buffer.from([0x15, 3, 3, 0, 2, 2, description])
}

/** What a real client's first flight is. */
async function clientHello(): Promise<Buffer> {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as { port: number }
  const octets = new Promise<Buffer>((resolve) =>
    server.once('connection', (socket) =>
      socket.once('data', (chunk) => {
        socket.destroy()
        resolve(chunk)
      }),
    ),
  )
  connectTls({ port, host: '127.0.0.1', servername: 'mx.badmx.test', minVersion: 'TLSv1.2' }).on('error', () => {})
  const hello = await octets
  server.close()
  return hello
}

t.test('what TLS came up, with the secrets to read it', async (t) => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { mx, log } = await serve(t, [], { tls: { certificate: await certificate() } })
    const client = await ready(mx.port)
    const lines: string[] = []
    const stream = await client.startTls({ minVersion: version, maxVersion: version })
    stream.on('keylog', (line) => lines.push(String(line)))
    await client.ask('EHLO client')
    const [up] = log.of('tls').flatMap((event) => (event.state === 'up' ? [event] : []))
    t.match(up, { version, cipher: stream.getCipher().standardName, resumed: false, clientChain: [] })
    const [presented] = log.of('tls').flatMap((event) => (event.state === 'presented' ? [event] : []))
    t.ok(
      presented?.chain[0]?.equals(stream.getPeerX509Certificate()?.raw ?? Buffer.alloc(0)),
      'the chain is what the client got',
    )
    const secrets = log.of('tls').flatMap((event) => (event.state === 'secret' ? [event.line] : []))
    t.ok(secrets.every((line) => /^[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]+$/.test(line)))
    t.ok(secrets.some((line) => line.startsWith(version === 'TLSv1.2' ? 'CLIENT_RANDOM' : 'CLIENT_TRAFFIC_SECRET_0')))
    client.reset()
  }
})

t.test('a client that refuses the certificate, with an alert or without', async (t) => {
  const root = authority().rootPem
  for (const [fault, code] of [
    ['self-signed', /self/i],
    ['expired', /expired/i],
  ] as const) {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { mx, log } = await serve(t, [], { tls: { certificate: await certificate(fault) } })
      const client = await ready(mx.port)
      const refused = await client.startTls({ ca: root, rejectUnauthorized: true, maxVersion: version }).then(
        () => undefined,
        (error: Error) => error,
      )
      t.match(String(refused), code, `${fault}, ${version}: the client refuses`)
      await log.ending()
      await mx.idle()
      t.strictSame(
        log.proofs(),
        [`opportunity certificate:${fault}`, `fired certificate:${fault}`],
        `${fault}, ${version}`,
      )
      t.ok(log.tls().includes('presented'))
    }
  }
})

t.test('a TLS 1.2 client that goes in mid-handshake without an alert has been shown the certificate', async (t) => {
  const hello = await clientHello()
  for (const how of ['finish', 'reset'] as const) {
    const { mx, log } = await serve(t, [], { tls: { certificate: await certificate('expired'), max: 'TLSv1.2' } })
    const client = await ready(mx.port)
    client.send(hello)
    await new Promise((answer) => client.socket.once('data', answer))
    client[how]()
    t.equal(await log.ending(), how === 'finish' ? 'client fin' : 'client rst')
    t.strictSame(log.tls(), ['hello', 'presented', 'failed'], how)
    t.strictSame(log.proofs(), ['opportunity certificate:expired', 'fired certificate:expired'], how)
  }
})

t.test('a TLS 1.3 client that goes when it has seen the certificate', async (t) => {
  const { mx, log } = await serve(t, [], { tls: { certificate: await certificate('expired') } })
  const client = await ready(mx.port)
  client.send(await clientHello())
  await new Promise((answer) => client.socket.once('data', answer))
  client.reset()
  await log.ending()
  t.strictSame(log.tls(), ['hello', 'presented', 'failed'])
  t.strictSame(log.proofs(), ['opportunity certificate:expired', 'fired certificate:expired'])
})

t.test('a client that never says hello has not been shown anything', async (t) => {
  for (const said of [Buffer.alloc(0), Buffer.from([0x16, 3, 1, 2, 0, 1])]) {
    const { mx, log } = await serve(t, [], { tls: { certificate: await certificate('expired') } })
    const client = await ready(mx.port)
    client.send(said)
    client.finish()
    t.equal(await log.ending(), 'client fin')
    t.strictSame(log.tls(), ['failed'])
    t.strictSame(log.proofs(), [], 'no opportunity, nothing fired')
    t.ok(log.octets('client', 'in').equals(client.sent), 'what it said is recorded')
  }
})

t.test('no version in common: the host never comes to its certificate', async (t) => {
  for (const [max, min] of [
    ['TLSv1.2', 'TLSv1.3'],
    ['TLSv1.3', 'TLSv1.2'],
  ] as const) {
    const server = max === 'TLSv1.2' ? ({ max } as const) : ({ min: 'TLSv1.3', max } as const)
    const client12 = max === 'TLSv1.2' ? { minVersion: min } : { maxVersion: min }
    const { mx, log } = await serve(t, [], { tls: { certificate: await certificate('expired'), ...server } })
    const client = await ready(mx.port)
    await t.rejects(client.startTls(client12))
    await log.ending()
    t.strictSame(log.tls(), ['hello', 'failed'])
    t.strictSame(log.proofs(), [])
  }
})

t.test('the alert that a client sends has its name', async (t) => {
  const names = [
    [48, 'unknown_ca'],
    [42, 'bad_certificate'],
    [45, 'certificate_expired'],
    [46, 'certificate_unknown'],
    [40, 'handshake_failure'],
    [80, 'internal_error'],
  ] as const
  const hello = await clientHello()
  for (const [description, name] of names) {
    const { mx, log } = await serve(t, [], { tls: { certificate: await certificate(), max: 'TLSv1.2' } })
    const client = await ready(mx.port)
    client.send(hello)
    await new Promise((answer) => client.socket.once('data', answer))
    client.send(alert(description))
    await log.ending()
    t.match(log.of('tls').at(-1), { state: 'failed', alert: name })
  }
})

t.test("a real client's alert: unknown_ca", async (t) => {
  const { mx, log } = await serve(t, [], { tls: { certificate: await certificate('untrusted-ca') } })
  const socket = connectTls({
    socket: (await ready(mx.port)).socket,
    ca: authority().rootPem,
    servername: 'mx.badmx.test',
  })
  socket.on('error', () => {})
  await log.ending()
  t.match(log.proofs(), ['opportunity certificate:untrusted-ca', 'fired certificate:untrusted-ca'])
  t.comment(JSON.stringify(log.of('tls').at(-1), ['state', 'alert', 'reason']))
})

t.test('garbage in the handshake is no alert of the client', async (t) => {
  const hello = await clientHello()
  const { mx, log } = await serve(t, [], { tls: { certificate: await certificate() } })
  const client = await ready(mx.port)
  client.send(hello)
  await new Promise((answer) => client.socket.once('data', answer))
  client.send('QUIT\r\n')
  await log.ending()
  const [failed] = log.of('tls').flatMap((event) => (event.state === 'failed' ? [event] : []))
  t.ok(failed)
  t.equal(failed?.alert, undefined, failed?.reason ?? '')
})

t.test('a client certificate is asked for where wanted, and recorded in order', async (t) => {
  const chain = await authority().clientChain('good')
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    for (const asked of [true, false]) {
      const request = asked ? ({ clientCertificate: 'request' } as const) : {}
      const { mx, log } = await serve(t, [], { tls: { certificate: await certificate(), ...request } })
      const client = await ready(mx.port)
      await client.startTls({ cert: chain.certPem, key: chain.keyPem, maxVersion: version })
      await client.ask('EHLO client')
      const [up] = log.of('tls').flatMap((event) => (event.state === 'up' ? [event] : []))
      const digest = (der: Buffer): string => createHash('sha256').update(der).digest('hex')
      t.strictSame(up?.clientChain.map(digest), asked ? chain.chain.map(digest) : [], `${version}, asked: ${asked}`)
      client.reset()
    }
    const { mx, log } = await serve(t, [], { tls: { certificate: await certificate(), clientCertificate: 'request' } })
    const client = await ready(mx.port)
    await client.startTls({ maxVersion: version })
    t.equal(await client.ask('EHLO client'), 250, 'a client without one is served')
    t.match(
      log.of('tls').find((event) => event.state === 'up'),
      { clientChain: [] },
    )
    client.reset()
  }
})

t.test('a stapled response is an opportunity only for a client that asks for it', async (t) => {
  for (const requestOCSP of [true, false]) {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { mx, log } = await serve(t, [], { tls: { certificate: await certificate('ocsp-revoked') } })
      const client = await ready(mx.port)
      await client.startTls({ ...{ requestOCSP }, maxVersion: version })
      t.equal(await client.ask('EHLO client'), 250)
      client.reset()
      await log.ending()
      t.strictSame(
        log.proofs(),
        requestOCSP ? ['opportunity certificate:ocsp-revoked', 'fired certificate:ocsp-revoked'] : [],
        `${version}, asked: ${requestOCSP}`,
      )
    }
  }
})

t.test('a resumed session shows no certificate, and no fault fires', async (t) => {
  const { mx, log } = await serve(t, [], { tls: { certificate: await certificate('expired'), max: 'TLSv1.2' } })
  const first = await ready(mx.port)
  const stream = await first.startTls()
  await first.ask('EHLO client')
  const session = stream.getSession()
  first.finish()
  await log.ending()
  const second = await ready(mx.port)
  const again = await second.startTls(session === undefined ? {} : { session })
  await second.ask('EHLO client')
  const resumed = again.isSessionReused()
  t.ok(resumed, 'the client resumes')
  second.reset()
  await log.ending('mx.2')
  const events = log.events.filter((event) => 'conn' in event && event.conn === 'mx.2')
  t.match(
    events.find((event) => event.type === 'tls' && event.state === 'up'),
    { resumed },
  )
  t.equal(
    events.some((event) => event.type === 'tls' && event.state === 'presented'),
    !resumed,
  )
  t.equal(
    events.some((event) => event.type === 'fired'),
    !resumed,
  )
})

t.test('TLS on connect, and a client that speaks SMTP to it', async (t) => {
  const { mx, log } = await serve(t, [], { tls: { certificate: await certificate(), on: 'connect' } })
  const client = await Client.connect(mx.port)
  await client.startTls()
  t.match(await client.reply(), /^220 /)
  client.send('EHLO client\r\n')
  t.notMatch(await client.reply(), /STARTTLS/, 'not offered inside TLS')
  t.equal(await client.ask('QUIT'), 221)
  t.equal(log.octets('client', 'out', 'tcp').length, 0, 'nothing in clear')
  t.match(log.of('conn')[0], { tlsOnConnect: true })
  const clear = connectTcp(mx.port, '127.0.0.1')
  clear.on('error', () => {})
  clear.write('EHLO client\r\n')
  await log.ending('mx.2')
  clear.destroy()
  t.equal(log.octets('client', 'in', 'tcp').toString(), 'EHLO client\r\n')
})

t.test('FIN without close_notify goes behind the reply, never instead of it', async (t) => {
  const stack = [{ use: 'close-at', with: { at: 'after-delivery', in: 'tls', notify: false } }]
  for (let round = 0; round < 5; round++) {
    const { mx, log } = await serve(t, stack, { tls: { certificate: await certificate() } })
    const client = await Client.connect(mx.port)
    await client.secure()
    for (const line of ['EHLO client', 'MAIL FROM:<a@b.test>', 'RCPT TO:<c@d.test>', 'DATA']) await client.ask(line)
    t.equal(await client.ask('text\r\n.').catch(String), 250)
    t.equal(await log.ending(), 'peer fin')
  }
})

t.test('for a capture every octet of the connection is recorded once, with layers under TLS and without', async (t) => {
  for (const [stack, version] of [
    [[], 'TLSv1.2'],
    [[], 'TLSv1.3'],
    [['refuse-client-certificate'], 'TLSv1.2'],
    [['end-tls-continue-clear'], 'TLSv1.3'],
  ] as const) {
    const { mx, log } = await serve(t, stack, { tls: { certificate: await certificate() }, capture: true })
    const client = await Client.connect(mx.port)
    await client.secure({ minVersion: version, maxVersion: version })
    if (stack[0] === 'end-tls-continue-clear') {
      client.send('EHLO client\r\n')
      await log.when((event) => event.type === 'tls' && event.state === 'closed')
    } else await client.ask('EHLO client')
    client.finish()
    await client.ended()
    await mx.idle()
    const name = `${JSON.stringify(stack)} ${version}`
    const hello = log.of('tls').flatMap((event) => (event.state === 'hello' ? event.data.length : []))
    t.equal(log.octets('client', 'in', 'tcp', 'cipher').length + (hello[0] ?? 0), client.socket.bytesWritten, name)
    t.equal(log.octets('client', 'out', 'tcp', 'cipher').length, client.socket.bytesRead, `${name}: back`)
    t.match(log.octets('client', 'in', 'tls').toString(), /^EHLO client\r\n/)
  }
})

t.test('without a capture no TLS record is recorded', async (t) => {
  const { mx, log } = await serve(t, [], { tls: { certificate: await certificate() } })
  const client = await Client.connect(mx.port)
  await client.secure()
  client.finish()
  await client.ended()
  await mx.idle()
  t.equal(log.octets('client', 'in', 'cipher').length + log.octets('client', 'out', 'cipher').length, 0)
})
