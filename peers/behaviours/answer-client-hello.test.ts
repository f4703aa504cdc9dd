import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import t, { type Test } from 'tap'
import { createAuthority } from '../certificates/authority.ts'
import type { PeerEvent } from '../events.ts'
import { peer } from '../peer.ts'
import type { Bytes, WireEvent } from '../wire/units.ts'
import { behaviour } from './answer-client-hello.ts'
import { layerOf, play, show } from './playbook.ts'

const HELLO: WireEvent = { type: 'tls', end: 'client', state: 'hello' }
const client = (bytes: Buffer): Bytes => ({ type: 'bytes', from: 'client', bytes })
const server = (bytes: Buffer): Bytes => ({ type: 'bytes', from: 'server', bytes })

/** The ClientHello that Node sends with these options. */
async function helloOf(t: Test, options: object): Promise<Buffer> {
  const { createServer } = await import('node:net')
  const listener = createServer()
  t.teardown(() => listener.close())
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as { port: number }
  const accepted = once(listener, 'connection')
  const sender = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  sender.on('error', () => {})
  const [socket] = await accepted
  const [octets] = await once(socket, 'data')
  socket.destroy()
  sender.destroy()
  return octets
}

const answer = (parameters: object, hello: Buffer): string[] =>
  show(play(behaviour, parameters, [client(hello), HELLO])).slice(1)

t.test('an alert, octets or nothing, and then FIN, RST or silence', async (t) => {
  const hello = await helloOf(t, { servername: 'mx.badmx.test' })
  const alert = (octets: string): string => `bytes from server ${JSON.stringify(octets)}`
  t.same(answer({}, hello), [
    'opportunity a ClientHello arrived',
    'no-tls',
    'fired answered the ClientHello with alert 40 (fatal), then FIN',
    alert('\x15\x03\x03\x00\x02\x02\x28'),
    'close client fin',
  ])
  t.same(answer({ alert: 0, level: 'warning' }, hello).slice(3), [
    alert('\x15\x03\x03\x00\x02\x01\x00'),
    'close client fin',
  ])
  t.same(answer({ answer: 'nothing', then: 'rst' }, hello).slice(3), ['close client rst'])
  t.same(answer({ answer: 'nothing', then: 'stall' }, hello).slice(3), [])
  t.same(answer({ answer: 'octets', octets: '\x16\x03', then: 'stall' }, hello).slice(3), [alert('\x16\x03')])
})

t.test('a flood goes on as the client takes it', async (t) => {
  const hello = await helloOf(t, {})
  const layer = layerOf(behaviour, { answer: 'flood' })
  layer.on(client(hello))
  const begun = layer.on(HELLO)
  const next = layer.on({ type: 'wake', alarm: 'more' })
  for (const outputs of [begun.slice(-2), next])
    t.match(outputs, [
      { type: 'bytes', from: 'server' },
      { type: 'wake-me', drained: true },
    ])
})

t.test('only hellos of the kind asked for', async (t) => {
  const named = await helloOf(t, { servername: 'mx.badmx.test', ALPNProtocols: ['smtp'] })
  const bare = await helloOf(t, { maxVersion: 'TLSv1.2' })
  const sslv2 = Buffer.from('801c0103030003000000100000010102030405060708090a0b0c0d0e0f10', 'hex')
  const fires = (to: string, hello: Buffer, length = 255): boolean => answer({ to, length }, hello).length > 0
  t.same(
    [named, bare].map((hello) => fires('tls13', hello)),
    [true, false],
    'TLS 1.3',
  )
  t.same(
    [named, bare].map((hello) => fires('server-name', hello)),
    [true, false],
    'a server name',
  )
  t.same(
    [named, bare].map((hello) => fires('no-server-name', hello)),
    [false, true],
    'no server name',
  )
  t.same(
    [named, bare].map((hello) => fires('no-alpn', hello)),
    [false, true],
    'no ALPN',
  )
  t.same(
    [named, sslv2].map((hello) => fires('not-sslv2', hello)),
    [true, false],
    'not in the format of SSLv2',
  )
  t.ok(fires('record-tls10', named))
  const newer = Buffer.from(named)
  newer[2] = 3
  t.notOk(fires('record-tls10', newer))
  t.ok(fires('long', named, named.length - 1))
  t.notOk(fires('long', named, named.length))
  t.ok(answer({ to: 'long', upTo: named.length }, named).length > 0)
  t.same(answer({ to: 'long', upTo: named.length - 1 }, named), [])
  const old = await helloOf(t, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
  t.same(
    [named, bare, old].map((hello) => fires('tls12', hello)),
    [true, true, false],
    'TLS 1.2 or more',
  )
})

/** A ClientHello of TLS 1.2 without extensions, and the same in two records. */
function helloWith(suites: readonly number[]): { whole: Buffer; fragmented: Buffer } {
  const list = Buffer.concat(suites.map((suite) => Buffer.from([suite >> 8, suite & 255])))
  const length = Buffer.from([list.length >> 8, list.length & 255])
  const body = Buffer.concat([Buffer.from([3, 3]), Buffer.alloc(33), length, list, Buffer.from([1, 0])])
  const message = Buffer.concat([Buffer.from([1, 0, body.length >> 8, body.length & 255]), body])
  const record = (part: Buffer): Buffer =>
    Buffer.concat([Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part])
  const halves = [message.subarray(0, 30), message.subarray(30)]
  return { whole: record(message), fragmented: Buffer.concat(halves.map(record)) }
}

t.test('hellos by their suites and records', async (t) => {
  const fires = (to: string, hello: Buffer): boolean => answer({ to, suites: 3 }, hello).length > 0
  const whole = (...suites: number[]): Buffer => helloWith(suites).whole
  t.ok(fires('rc4-only', whole(0x0005, 0xc011, 0x00ff, 0x5600, 0x3a3a)), 'signals and GREASE are no suites')
  t.notOk(fires('rc4-only', whole(0x0005, 0x002f)))
  t.notOk(fires('rc4-only', whole(0x00ff)), 'no suite at all')
  t.ok(fires('many-suites', whole(1, 2, 3, 4)))
  t.notOk(fires('many-suites', whole(1, 2, 3, 0x00ff)))
  const sslv2 = (version: number): Buffer =>
    Buffer.from(`801c01${version.toString(16).padStart(4, '0')}00030000001000002f${'07'.repeat(16)}`, 'hex')
  t.ok(fires('sslv2', sslv2(0x0301)))
  t.notOk(fires('sslv2', whole(0x002f)))
  t.ok(fires('above-ssl3', sslv2(0x0301)))
  t.ok(fires('above-ssl3', whole(0x002f)))
  t.notOk(fires('above-ssl3', sslv2(0x0300)))
  t.ok(fires('fragmented', helloWith([0x002f]).fragmented))
  t.notOk(fires('fragmented', whole(0x002f)))
})

t.test('the hello is what came since the server last spoke, however it is split', async (t) => {
  const hello = await helloOf(t, { servername: 'mx.badmx.test' })
  const whole = answer({ to: 'server-name' }, hello)
  for (let at = 1; at < hello.length; at += 16) {
    const events = [
      client(Buffer.from('STARTTLS\r\n')),
      server(Buffer.from('220 Go ahead\r\n')),
      client(hello.subarray(0, at)),
      client(hello.subarray(at)),
      HELLO,
    ]
    t.same(show(play(behaviour, { to: 'server-name' }, events)).slice(4), whole, `at ${at}`)
  }
})

t.test('on the wire: an alert for one hello, no TLS on record, and another hello is served', async (t) => {
  const authority = createAuthority({ now: new Date(), seed: 1 })
  const certificate = await authority.issue('good', { host: 'mx.badmx.test', domain: 'badmx.test' })
  const events: PeerEvent[] = []
  const host = await peer([{ use: 'answer-client-hello', with: { alert: 70, to: 'tls13' } }], {
    tls: { certificate, on: 'connect' },
    log: (event) => events.push(event),
  })
  t.teardown(() => host.close())
  const shake = (options: object): Promise<string> =>
    new Promise((resolve) => {
      const socket = connectTls({ port: host.port, host: host.address, rejectUnauthorized: false, ...options })
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'))
      socket.on('secureConnect', () => resolve(socket.getProtocol() ?? ''))
      t.teardown(() => socket.destroy())
    })
  t.match(await shake({}), /ALERT_PROTOCOL_VERSION/)
  t.notOk(
    events.some((event) => event.type === 'tls' && (event.state === 'presented' || event.state === 'secret')),
    'no TLS was started',
  )
  t.ok(events.some((event) => event.type === 'fired' && event.behaviour === 'answer-client-hello'))
  t.equal(await shake({ maxVersion: 'TLSv1.2' }), 'TLSv1.2')
  t.ok(events.some((event) => event.type === 'tls' && event.state === 'presented'))
})

t.test('on the wire: silence lasts until the client goes, and then the session is over', async (t) => {
  const authority = createAuthority({ now: new Date(), seed: 1 })
  const certificate = await authority.issue('good', { host: 'mx.badmx.test', domain: 'badmx.test' })
  const host = await peer([{ use: 'answer-client-hello', with: { answer: 'nothing', then: 'stall' } }], {
    tls: { certificate, on: 'connect' },
  })
  t.teardown(() => host.close())
  const hello = await helloOf(t, {})
  const socket = connectTcp(host.port, host.address)
  t.teardown(() => socket.destroy())
  let heard = 0
  socket.on('data', (octets) => {
    heard += octets.length
  })
  await once(socket, 'connect')
  socket.end(hello)
  await host.idle()
  t.equal(heard, 0)
})
