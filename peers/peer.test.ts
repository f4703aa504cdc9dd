import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { Listener } from './listener.ts'
import { type Peer, type PeerOptions, peer, proxy, StackError, type Stacks } from './peer.ts'
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

/** The peer has read these octets. */
function seen(log: Log, text: string): Promise<unknown> {
  return log.when((event) => event.type === 'bytes' && event.direction === 'in' && event.data.includes(text))
}

/** The behaviour that greets a new client, by its effect on EHLO: `hide` or `sound`. */
async function offered(port: number, localAddress?: string): Promise<string> {
  const client = await Client.connect(port, '127.0.0.1', localAddress)
  await client.reply()
  client.send('EHLO client\r\n')
  const reply = await client.reply()
  client.reset()
  return /STARTTLS/.test(reply) ? 'sound' : 'hide'
}

t.test('a sound session: every octet recorded once, in order, on its layer', async (t) => {
  const { mx, log } = await serve(t, [], {
    tls: { certificate: await certificate() },
    cell: 'a.may',
    host: 'mx2',
    connPrefix: 's1.',
  })
  const client = await Client.connect(mx.port)
  await client.secure()
  const [heardClear, saidClear] = [client.received.length, client.sent.length]
  t.equal(await client.ask('EHLO client'), 250)
  t.equal(await client.ask('MAIL FROM:<a@badmx.test>'), 250)
  t.equal(await client.ask('RCPT TO:<b@badmx.test>'), 250)
  t.equal(await client.ask('DATA'), 354)
  client.send('Subject: x\r\n\r\n')
  client.send('..dots\r\n.\r')
  client.send('\n')
  t.match(await client.reply(), /^250 /)
  t.equal(await client.ask('QUIT'), 221)
  t.equal(await client.ended(), 'fin')
  await mx.idle()
  t.ok(log.octets('client', 'in', 'tcp').equals(client.sent.subarray(0, saidClear)), 'what was said in clear')
  t.ok(log.octets('client', 'out', 'tcp').equals(client.received.subarray(0, heardClear)), 'what was heard in clear')
  t.ok(log.octets('client', 'in', 'tls').equals(client.sent.subarray(saidClear)), 'what was said in TLS')
  t.ok(log.octets('client', 'out', 'tls').equals(client.received.subarray(heardClear)), 'what was heard in TLS')
  t.equal(log.octets('client', 'in', 'cipher').length + log.octets('client', 'out', 'cipher').length, 0)
  t.strictSame(log.tls(), ['hello', 'presented', 'up'])
  t.ok(log.events.every((event) => event.cell === 'a.may' && 'conn' in event && event.conn === 's1.mx2.1'))
  t.ok(
    log.events.every((event, at) => event.t >= (log.events[at - 1]?.t ?? 0)),
    'time does not run backwards',
  )
  t.equal(log.of('conn').length, 2)
})

t.test('who ended a connection first, and how', async (t) => {
  const tls = { certificate: await certificate() }
  const stages: readonly (readonly [string, (client: Client, log: Log) => Promise<unknown>])[] = [
    ['at once', async () => {}],
    ['after the banner', (client) => client.reply()],
    ['after EHLO', async (client) => [await client.reply(), await client.ask('EHLO c')]],
    [
      'after the 220',
      async (client) => [await client.reply(), await client.ask('EHLO c'), await client.ask('STARTTLS')],
    ],
    ['inside TLS', (client) => client.secure()],
    [
      'in DATA',
      async (client, log) => [
        await client.secure(),
        await client.ask('EHLO c'),
        await client.ask('MAIL FROM:<a@b.test>'),
        await client.ask('RCPT TO:<c@d.test>'),
        await client.ask('DATA'),
        client.send('half a mess'),
        await seen(log, 'half a mess'),
      ],
    ],
  ]
  for (const [name, go] of stages) {
    for (const how of ['fin', 'rst'] as const) {
      const { mx, log } = await serve(t, [], { tls })
      const client = await Client.connect(mx.port)
      await log.when((event) => event.type === 'conn')
      await go(client, log)
      if (how === 'fin') client.finish()
      else client.reset()
      t.equal(await log.ending(), `client ${how}`, `${name}, ${how}`)
      await mx.idle()
      t.equal(mx.connections(), 0)
      t.equal(log.of('conn').length, 2, 'it ends once')
    }
  }
})

t.test('QUIT is ended by the peer; a refusal may end with FIN or RST, after what was said before', async (t) => {
  const sound = await serve(t, [])
  const polite = await Client.connect(sound.mx.port)
  await polite.reply()
  t.equal(await polite.ask('QUIT'), 221)
  t.equal(await polite.ended(), 'fin')
  t.equal(await sound.log.ending(), 'peer fin')
  for (const close of ['fin', 'rst'] as const) {
    const { mx, log } = await serve(t, [{ use: 'refuse-starttls', with: { close } }], {
      tls: { certificate: await certificate() },
    })
    const client = await Client.connect(mx.port)
    await client.reply()
    await client.ask('EHLO c')
    t.equal(await client.ask('STARTTLS'), 454, `${close}: the reply arrives`)
    t.equal(await log.ending(), `peer ${close}`)
  }
  for (const how of ['fin', 'rst'] as const) {
    const { mx, log } = await serve(t, [{ use: 'drop-on-ehlo', with: { how } }])
    const client = await Client.connect(mx.port)
    await client.reply()
    client.send('EHLO c\r\n')
    t.equal(await client.ended(), how)
    t.equal(await log.ending(), `peer ${how}`)
  }
})

t.test('silence is ended by a deadline', async (t) => {
  const { mx, log } = await serve(t, [], { idleMs: 50 })
  const client = await Client.connect(mx.port)
  await client.reply()
  t.equal(await log.ending(), 'harness deadline')
  t.match(await client.ended(), /fin|rst/)
  t.match(log.of('conn').at(-1), { detail: /silent for 50 ms/ })
})

t.test('close while sessions run ends them all and leaves nothing', async (t) => {
  const tls = { certificate: await certificate() }
  const back = await serve(t, [], { tls })
  const front = new Log()
  const man = await proxy([], '127.0.0.1', back.mx.port, { log: front.sink })
  const clients = await Promise.all(
    [back.mx.port, back.mx.port, man.port, man.port].map((port) => Client.connect(port)),
  )
  const endings = clients.map((client) => client.ended())
  await clients[0]?.secure()
  for (const client of clients.slice(1)) await client.reply()
  await clients[3]?.ask('EHLO client')
  t.equal(man.connections(), 2)
  t.equal(back.mx.connections(), 4)
  await Promise.all([man.close(), back.mx.close()])
  t.equal((await Promise.all(endings)).length, 4)
  t.strictSame([man.connections(), back.mx.connections()], [0, 0])
  t.strictSame(
    front
      .of('conn')
      .flatMap((event) => (event.state === 'closed' ? [event] : []))
      .map(({ by }) => by),
    ['harness', 'harness'],
  )
  await Promise.all([man.idle(), back.mx.idle()])
  await t.rejects(Client.connect(man.port), { code: 'ECONNREFUSED' })
  for (let turn = 0; turn < 20; turn++) await new Promise((next) => setImmediate(next))
  t.strictSame(
    process.getActiveResourcesInfo().filter((kind) => /TCP|TLS|Timeout/.test(kind)),
    [],
    'no socket and no timer is left',
  )
})

t.test('a stack that cannot prove what it does is refused, and nothing listens', async (t) => {
  await t.rejects(peer(['hide-startls']), {
    name: 'StackError',
    code: 'stack',
    message: /did you mean "hide-starttls"/,
  })
  await t.rejects(peer([{ use: 'hide-starttls', with: { remove: 'x' } }]), StackError)
  await t.rejects(peer({ vectors: [], per: 'client', order: 'seeded' }), StackError)
  const { mx } = await serve(t, [])
  await t.rejects(mx.change(['hide-starttls', 'hide-starttls']), StackError)
})

t.test('change: connections from now on', async (t) => {
  const { mx, log } = await serve(t, [], { tls: { certificate: await certificate() } })
  const early = await Client.connect(mx.port)
  await early.reply()
  t.equal(await offered(mx.port), 'sound')
  await mx.change(['hide-starttls'])
  t.equal(await offered(mx.port), 'hide')
  early.send('EHLO client\r\n')
  t.match(await early.reply(), /STARTTLS/, 'a connection keeps what it began with')
  early.reset()
  await mx.change([])
  t.equal(await offered(mx.port), 'sound')
  const armed = log.events.flatMap((event) => (event.type === 'armed' ? [event.conn] : []))
  t.strictSame(armed, ['mx.3'])
})

t.test('rotation: per connection, per client, round-robin and seeded', async (t) => {
  const tls = { certificate: await certificate() }
  const vectors = [[], ['hide-starttls']]
  const draw = async (
    per: 'connection' | 'client',
    order: 'round-robin' | 'seeded',
    seed = 0,
    sources: readonly (string | undefined)[] = Array(12).fill(undefined),
  ): Promise<string[]> => {
    const { mx } = await serve(t, { vectors, per, order }, { tls, seed })
    const seen: string[] = []
    for (const source of sources) seen.push(await offered(mx.port, source))
    return seen
  }
  t.strictSame(await draw('connection', 'round-robin', 0, Array(4).fill(undefined)), ['sound', 'hide', 'sound', 'hide'])
  const sources = ['127.0.0.1', '127.0.0.2', '127.0.0.1', '127.0.0.3', '127.0.0.2', '127.0.0.3']
  t.strictSame(await draw('client', 'round-robin', 0, sources), ['sound', 'hide', 'sound', 'sound', 'hide', 'sound'])
  const once = await draw('connection', 'seeded', 1)
  t.strictSame(await draw('connection', 'seeded', 1), once, 'the same seed, the same order')
  t.strictSame([...new Set(once)].sort(), ['hide', 'sound'], 'all are drawn')
  const others = await Promise.all([2, 3, 4].map((seed) => draw('connection', 'seeded', seed)))
  t.ok(
    others.some((other) => !isDeepStrictEqual(other, once)),
    'another seed, another order',
  )
})

t.test('two peers on one listener; a closed one answers no more', async (t) => {
  const listener = await Listener.open({ address: '0.0.0.0', allowRemote: true })
  t.teardown(() => listener.close())
  const log = new Log()
  const tls = { certificate: await certificate() }
  const two = await peer([], {
    listener,
    address: '127.0.0.2',
    host: 'two',
    hostName: 'two.badmx.test',
    tls,
    log: log.sink,
  })
  const three = await peer(['hide-starttls'], {
    listener,
    address: '127.0.0.3',
    host: 'three',
    hostName: 'three.badmx.test',
    tls,
    log: log.sink,
  })
  t.strictSame([two.address, three.address, two.port], ['127.0.0.2', '127.0.0.3', three.port])
  const [first, second] = [await Client.connect(two.port, two.address), await Client.connect(three.port, three.address)]
  t.match(await first.reply(), /^220 two\.badmx\.test/)
  t.match(await second.reply(), /^220 three\.badmx\.test/)
  t.strictSame(
    log
      .of('conn')
      .map((event) => event.conn)
      .sort(),
    ['three.1', 'two.1'],
  )
  t.match(log.of('conn')[0], { local: { address: '127.0.0.2' } })
  await two.close()
  await first.ended()
  t.equal(await second.ask('NOOP'), 250, 'the other goes on')
  const late = await Client.connect(two.port, two.address).catch(() => undefined)
  await t.rejects(
    late?.reply() ?? Promise.reject(new Error('refused')),
    'nobody answers at the address of the closed one',
  )
  second.reset()
  await three.close()
})
