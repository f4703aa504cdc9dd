import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import t from 'tap'
import { type Peer, type PeerOptions, type ProxyOptions, peer, proxy, type Stacks } from './peer.ts'
import { Client } from './testing/client.ts'
import { certificate, Log } from './testing/log.ts'

interface Test {
  teardown(what: () => Promise<void> | void): void
}

async function serve(t: Test, stack: Stacks, options: PeerOptions = {}): Promise<{ mx: Peer; log: Log }> {
  const log = new Log()
  const mx = await peer(stack, { log: log.sink, ...options })
  t.teardown(() => mx.close())
  return { mx, log }
}

async function stand(
  t: Test,
  port: number,
  options: ProxyOptions = {},
  stack: Stacks = [],
): Promise<{ man: Peer; log: Log }> {
  const log = new Log()
  const man = await proxy(stack, '127.0.0.1', port, { log: log.sink, ...options })
  t.teardown(() => man.close())
  return { man, log }
}

/** A server that does what the test says with each connection. */
async function scripted(t: Test, accept: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    accept(socket)
  })
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    if (server.listening) await new Promise((closed) => server.close(closed))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** The codes of the next `count` replies. */
async function codes(client: Client, count: number): Promise<number[]> {
  const list: number[] = []
  while (list.length < count) list.push(Number((await client.reply()).slice(0, 3)))
  return list
}

const ENVELOPE = 'MAIL FROM:<a@badmx.test>\r\nRCPT TO:<b@badmx.test>\r\nRCPT TO:<c@badmx.test>\r\nDATA\r\n'

t.test('pipelined groups in one segment are answered in order, in a peer and through a proxy', async (t) => {
  const { mx } = await serve(t, [])
  const { man } = await stand(t, mx.port)
  for (const port of [mx.port, man.port]) {
    const client = await Client.connect(port)
    await client.reply()
    await client.ask('EHLO client')
    client.send(ENVELOPE)
    t.strictSame(await codes(client, 4), [250, 250, 250, 354])
    client.send('text\r\n.\r\nRSET\r\nNOOP\r\nMAIL FROM:<a@badmx.test>\r\nQUIT\r\n')
    t.strictSame(await codes(client, 5), [250, 250, 250, 250, 221])
    t.equal(await client.ended(), 'fin')
  }
})

t.test("a whole session in one segment, content and all (RFC 2920 breaks are the client's to keep)", async (t) => {
  const { mx } = await serve(t, [])
  const client = await Client.connect(mx.port)
  await client.reply()
  client.send(`EHLO client\r\n${ENVELOPE}From: x\r\n\r\nQUIT\r\n.\r\nNOOP\r\nQUIT\r\n`)
  t.strictSame(await codes(client, 8), [250, 250, 250, 250, 354, 250, 250, 221], 'the QUIT in the text is text')
})

t.test('BDAT: the chunk is counted, and no line in it is a command', async (t) => {
  const { mx, log } = await serve(t, [])
  const client = await Client.connect(mx.port)
  await client.reply()
  client.send(
    'EHLO client\r\nMAIL FROM:<a@badmx.test>\r\nBDAT 12\r\nQUIT\r\nRSET\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\nQUIT\r\n',
  )
  t.strictSame(await codes(client, 6), [250, 250, 500, 500, 250, 221])
  t.equal(await client.ended(), 'fin')
  t.ok(log.octets('client', 'in').equals(client.sent), 'the chunks are recorded')
  t.ok(log.octets('client', 'out').equals(client.received), 'and nothing more was said')
})

t.test('octets behind STARTTLS: dropped, read as commands inside TLS, or read by TLS', async (t) => {
  const tls = { certificate: await certificate() }
  const injected = 'NOOP injected\r\n'
  const dropped = await serve(t, [], { tls })
  const careful = await Client.connect(dropped.mx.port)
  await careful.reply()
  await careful.ask('EHLO client')
  careful.send(`STARTTLS\r\n${injected}`)
  t.match(await careful.reply(), /^220 /)
  await careful.startTls()
  careful.send('EHLO client\r\n')
  t.match(await careful.reply(), /^250-mx/, 'the first reply in TLS is to EHLO')
  t.equal(await careful.ask('QUIT'), 221)

  const kept = await serve(t, [], { tls: { ...tls, residue: 'commands' } })
  const believed = await Client.connect(kept.mx.port)
  await believed.reply()
  await believed.ask('EHLO client')
  believed.send(`STARTTLS\r\n${injected}`)
  t.match(await believed.reply(), /^220 /)
  await believed.startTls()
  t.match(await believed.reply(), /^250 /, 'the injected command is answered inside TLS')
  t.equal(await believed.ask('EHLO client'), 250)
  for (const { log } of [dropped, kept]) {
    await log.when((event) => event.type === 'tls' && event.state === 'up')
    t.ok(log.octets('client', 'in', 'tcp').includes(injected), 'recorded as what it was: cleartext')
    t.notOk(log.octets('client', 'in', 'tls').includes(injected), 'and not as something inside TLS')
  }
  believed.reset()

  const handshake = await serve(t, [], { tls: { ...tls, residue: 'handshake' } })
  const garbage = await Client.connect(handshake.mx.port)
  await garbage.reply()
  await garbage.ask('EHLO client')
  garbage.send(`STARTTLS\r\n${injected}`)
  await garbage.startTls().catch(() => {})
  await garbage.ended()
  await handshake.log.ending()
  t.strictSame(handshake.log.tls(), ['hello', 'failed'], 'TLS reads text and gives up')
  t.match(handshake.log.of('tls')[0], { hello: { format: 'none' } })
})

t.test(
  "a ClientHello right behind STARTTLS is TLS's where residue goes there, and lost where it is dropped",
  async (t) => {
    for (const residue of ['handshake', 'drop'] as const) {
      const { mx, log } = await serve(t, [], { tls: { certificate: await certificate(), residue } })
      const client = await Client.connect(mx.port)
      await client.reply()
      await client.ask('EHLO client')
      client.socket.cork()
      client.send('STARTTLS\r\n')
      const up = client.startTls().then(
        () => true,
        () => false,
      )
      client.socket.uncork()
      if (residue === 'drop') client.socket.end()
      t.comment(`TLS up: ${await Promise.race([up, log.ending().then(() => 'ended')])}`)
      client.reset()
      await mx.idle()
      t.ok(['up', 'failed'].includes(log.tls().at(-1) ?? ''), `${residue}: ${log.tls().join(' ')}`)
    }
  },
)

t.test('a client that half-closes gets the answers to what it asked', async (t) => {
  const { mx } = await serve(t, [])
  const { man } = await stand(t, mx.port)
  for (const [name, port] of [
    ['peer', mx.port],
    ['proxy', man.port],
  ] as const) {
    const client = await Client.connect(port)
    await client.reply()
    client.send('EHLO client\r\nNOOP\r\nQUIT\r\n')
    client.finish()
    t.strictSame(await codes(client, 3).catch((error: Error) => [error.message]), [250, 250, 221], name)
    t.equal(await client.ended(), 'fin')
    const sender = await Client.connect(port)
    await sender.reply()
    sender.send(`EHLO client\r\n${ENVELOPE}text\r\n.\r\n`)
    sender.finish()
    t.strictSame(
      await codes(sender, 6).catch((error: Error) => [error.message]),
      [250, 250, 250, 250, 354, 250],
      `${name}: a message is not lost`,
    )
    t.equal(await sender.ended(), 'fin')
  }
})

t.test('a client that half-closes in the middle is let go', async (t) => {
  const { mx, log } = await serve(t, [])
  const client = await Client.connect(mx.port)
  await client.reply()
  client.send(`EHLO client\r\n${ENVELOPE}half a mess`)
  client.finish()
  t.equal(await client.ended(), 'fin')
  t.equal(await log.ending(), 'client fin')
  const lineless = await Client.connect(mx.port)
  await lineless.reply()
  lineless.send('EHLO')
  lineless.finish()
  t.equal(await lineless.ended(), 'fin')
  t.equal(lineless.received.toString().split('\r\n').length, 2, 'half a line is not answered')
})

t.test("a proxy passes the server's end on, and says who ended it", async (t) => {
  const endings = { fin: (socket: Socket) => socket.end(), rst: (socket: Socket) => socket.resetAndDestroy() }
  for (const how of ['fin', 'rst'] as const) {
    const port = await scripted(t, (socket) => {
      socket.write('220 mx\r\n')
      socket.on('data', () => endings[how](socket))
      socket.on('end', () => socket.end())
    })
    const { man, log } = await stand(t, port)
    const client = await Client.connect(man.port)
    await client.reply()
    client.send('EHLO client\r\n')
    t.equal(await client.ended(), how)
    t.equal(await log.ending(), `server ${how}`)
  }
})

t.test('a proxy without a server says so', async (t) => {
  const { man, log } = await stand(t, 1)
  const client = await Client.connect(man.port)
  t.match(await client.reply(), /^421 /)
  t.equal(await client.ended(), 'fin')
  t.equal(await log.ending(), 'server error')
})

t.test("a client's FIN goes through a proxy to the server, which may still speak", async (t) => {
  const port = await scripted(t, (socket) => {
    socket.write('220 mx\r\n')
    socket.resume()
    socket.on('end', () => socket.end('421 late words\r\n'))
  })
  const { man, log } = await stand(t, port)
  const client = await Client.connect(man.port)
  await client.reply()
  client.finish()
  t.equal(await client.reply(), '421 late words\r\n')
  t.equal(await client.ended(), 'fin')
  t.equal(await log.ending(), 'client fin')
})

t.test(
  'pass-through: TLS is not ours; every octet is recorded once on both sides, and the hello is read',
  async (t) => {
    const behind = await serve(t, [], { tls: { certificate: await certificate() } })
    const { man, log } = await stand(t, behind.mx.port)
    const client = await Client.connect(man.port)
    const wire = { in: 0, out: 0 }
    await client.secure()
    await client.ask('EHLO client')
    t.equal(await client.ask('QUIT'), 221)
    await client.ended()
    wire.in = client.socket.bytesWritten
    wire.out = client.socket.bytesRead
    await man.idle()
    t.match(log.octets('client', 'in', 'tcp').toString(), /^EHLO client\r\nSTARTTLS\r\n$/)
    t.match(log.octets('client', 'out', 'tcp').toString('latin1'), /^220 [^\n]*\n(250[- ][^\n]*\n)+220 [^\n]*\n$/)
    t.equal(log.octets('client', 'in', 'tls').length, 0)
    t.ok(log.octets('client', 'in', 'cipher').length > 200, 'TLS is recorded as such')
    t.equal(log.octets('client', 'in').length, wire.in, 'all that the client wrote')
    t.equal(log.octets('client', 'out').length, wire.out, 'all that it read')
    t.ok(
      log.octets('client', 'in').equals(log.octets('upstream', 'out')),
      'what came from the client went to the server',
    )
    t.ok(log.octets('upstream', 'in').equals(log.octets('client', 'out')), 'and back')
    t.strictSame(log.tls(), ['hello'])
    t.match(log.of('tls')[0], { hello: { format: 'tls', serverName: 'mx.badmx.test' } })
    t.strictSame(behind.log.tls(), ['hello', 'presented', 'up'])
  },
)

t.test('interception: the plaintext of both sides', async (t) => {
  const behind = await serve(t, [], { tls: { certificate: await certificate() } })
  for (const toServer of ['tls', 'clear'] as const) {
    const { man, log } = await stand(t, behind.mx.port, {
      intercept: { certificate: await certificate('self-signed'), toServer },
    })
    const client = await Client.connect(man.port)
    const stream = await client.secure()
    t.ok(
      stream.getPeerX509Certificate()?.raw.equals((await certificate('self-signed')).chain[0] ?? Buffer.alloc(0)),
      'the certificate is ours',
    )
    t.equal(await client.ask('EHLO client'), 250)
    t.equal(await client.ask('MAIL FROM:<secret@badmx.test>'), 250)
    t.equal(await client.ask('QUIT'), 221)
    await client.ended()
    await man.idle()
    const layer = toServer === 'tls' ? 'tls' : 'tcp'
    t.match(log.octets('client', 'in', 'tls').toString(), /secret/)
    t.match(log.octets('upstream', 'out', layer).toString(), /secret/, toServer)
    t.equal(
      log
        .octets('upstream', 'out', layer === 'tls' ? 'tcp' : 'tls')
        .toString()
        .includes('secret'),
      false,
    )
    t.ok(
      Buffer.concat([log.octets('client', 'out', 'tcp'), log.octets('client', 'out', 'tls')]).equals(client.received),
    )
  }
})

t.test('a line without an end is refused', async (t) => {
  const { mx, log } = await serve(t, [])
  const client = await Client.connect(mx.port)
  await client.reply()
  client.send('A'.repeat(70_000))
  t.match(await client.reply(), /^500 /)
  t.equal(await client.ended(), 'fin')
  t.equal(await log.ending(), 'peer fin')
})
