import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { connect as connectTls } from 'node:tls'
import t from 'tap'
import { seeded } from '../random.ts'
import { missing } from '../testing/programs.ts'
import { type HelloReading, readClientHello } from './client-hello.ts'

/** The first flight of whatever `start` makes connect to a port. */
async function capture(start: (port: number) => () => void): Promise<Buffer> {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  const octets = new Promise<Buffer>((resolve, reject) => {
    server.once('connection', (socket) => {
      let have = Buffer.alloc(0)
      socket.setTimeout(10_000, () => reject(new Error('no whole ClientHello came')))
      socket.on('error', () => {})
      socket.on('data', (chunk) => {
        have = Buffer.concat([have, chunk])
        if (have.length < 5 || have.length < 5 + have.readUInt16BE(3)) return
        resolve(have)
        socket.destroy()
      })
    })
  })
  const stop = start(typeof address === 'object' && address !== null ? address.port : 0)
  try {
    return await octets
  } finally {
    stop()
    server.close()
  }
}

function program(name: string, args: (port: number) => readonly string[]): (port: number) => () => void {
  return (port) => {
    const child: ChildProcess = spawn(name, args(port), { stdio: 'ignore', timeout: 10_000 })
    return () => child.kill()
  }
}

function node(options: object): (port: number) => () => void {
  return (port) => {
    const socket = connectTls({ port, host: '127.0.0.1', ...options }).on('error', () => {})
    return () => socket.destroy()
  }
}

function hello(reading: HelloReading) {
  if (reading.state !== 'hello') throw new Error(`got ${reading.state}, want a hello`)
  return reading.hello
}

/** The same handshake message in records of `size` octets. */
function fragmented(record: Buffer, size: number): Buffer {
  const message = record.subarray(5)
  const records: Buffer[] = []
  for (let at = 0; at < message.length; at += size) {
    const piece = message.subarray(at, at + size)
    records.push(Buffer.from([0x16, 3, record[2] ?? 1, piece.length >> 8, piece.length & 0xff]), piece)
  }
  return Buffer.concat(records)
}

/** `more` for every prefix, and the same hello with the last octet and with anything behind it. */
function everyPrefix(
  t: {
    equal: (a: unknown, b: unknown, message: string) => unknown
    strictSame: (a: unknown, b: unknown, message: string) => unknown
  },
  octets: Buffer,
  name: string,
): void {
  const whole = readClientHello(octets)
  t.equal(whole.state, 'hello', name)
  let early = 0
  for (let length = 0; length < octets.length; length++)
    if (readClientHello(octets.subarray(0, length)).state !== 'more') early += 1
  t.equal(early, 0, `${name}: every prefix wants more`)
  t.strictSame(
    readClientHello(Buffer.concat([octets, Buffer.from('anything')])),
    whole,
    `${name}: what follows does not matter`,
  )
}

const NAME = 'mx.badmx.test'

t.test('the hello of node:tls', async (t) => {
  const octets = await capture(
    node({
      servername: NAME,
      ALPNProtocols: ['smtp', 'x'],
      ciphers: 'ECDHE-RSA-AES128-GCM-SHA256',
      maxVersion: 'TLSv1.2',
    }),
  )
  t.match(hello(readClientHello(octets)), {
    format: 'tls',
    recordVersion: 0x0301,
    legacyVersion: 0x0303,
    versions: [0x0303],
    serverName: NAME,
    alpn: ['smtp', 'x'],
  })
  t.strictSame(hello(readClientHello(octets)).cipherSuites, [0xc02f, 0x00ff])
  const modern = hello(readClientHello(await capture(node({ servername: NAME, minVersion: 'TLSv1.3' }))))
  t.strictSame(modern.versions, [0x0304])
  t.equal(modern.legacyVersion, 0x0303)
  t.ok(modern.cipherSuites.includes(0x1301))
  t.ok(modern.groups.includes(0x001d) && modern.signatureAlgorithms.includes(0x0403))
  t.ok([0, 10, 13, 43, 51].every((type) => modern.extensions.includes(type)))
  t.equal(hello(readClientHello(await capture(node({})))).serverName, undefined, 'no name')
  everyPrefix(t, octets, 'node')
})

t.test('the hello of openssl s_client', { skip: missing('openssl') ?? false }, async (t) => {
  const octets = await capture(
    program('openssl', (port) => [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-servername',
      NAME,
      '-status',
      '-groups',
      'P-256:X25519',
      '-sigalgs',
      'RSA+SHA256',
    ]),
  )
  const seen = hello(readClientHello(octets))
  t.match(seen, { serverName: NAME, versions: [0x0304, 0x0303], groups: [0x17, 0x1d], signatureAlgorithms: [0x0401] })
  t.ok(seen.extensions.includes(5), 'status_request')
  everyPrefix(t, octets, 'openssl')
})

t.test('the hello of curl', { skip: missing('curl') ?? false }, async (t) => {
  const octets = await capture(
    program('curl', (port) => [
      '-sk',
      '--max-time',
      '5',
      '--connect-to',
      `${NAME}:443:127.0.0.1:${port}`,
      `https://${NAME}/`,
    ]),
  )
  const seen = hello(readClientHello(octets))
  t.equal(seen.serverName, NAME)
  t.ok(seen.alpn.includes('http/1.1'))
  everyPrefix(t, octets, 'curl')
})

t.test('an offered session: its id means something only where neither TLS 1.3 nor a ticket is offered', async (t) => {
  const withId = (octets: Buffer, id: Buffer): Buffer => {
    t.equal(octets[43], 0, 'Node sends no id by itself')
    const longer = Buffer.concat([octets.subarray(0, 43), Buffer.from([id.length]), id, octets.subarray(44)])
    longer.writeUInt16BE(octets.readUInt16BE(3) + id.length, 3)
    longer.writeUIntBE(octets.readUIntBE(6, 3) + id.length, 6, 3)
    return longer
  }
  const old = await capture(node({ servername: NAME, maxVersion: 'TLSv1.2' }))
  t.equal(hello(readClientHello(old)).session, undefined)
  t.equal(hello(readClientHello(withId(old, Buffer.alloc(32, 5)))).session, 'session-id')
  const both = await capture(node({ servername: NAME }))
  t.equal(both[43], 32, 'filled for middleboxes, RFC 8446 appendix D.4')
  t.equal(hello(readClientHello(both)).session, undefined)
})

t.test('a hello that records split at every place is the same hello', async (t) => {
  const octets = await capture(node({ servername: NAME }))
  const want = readClientHello(octets)
  const differing: number[] = []
  for (let size = 1; size < octets.length - 5; size++) {
    const got = readClientHello(fragmented(octets, size))
    if (JSON.stringify(got) !== JSON.stringify(want)) differing.push(size)
  }
  t.strictSame(differing, [])
  everyPrefix(t, fragmented(octets, 7), 'in records of 7 octets')
})

/** CLIENT-HELLO of SSLv2 with ciphers, RFC 6101 appendix E. */
function sslv2(version: number, ciphers: readonly number[]): Buffer {
  const specs = Buffer.concat(ciphers.map((cipher) => Buffer.from([cipher >> 16, (cipher >> 8) & 0xff, cipher & 0xff])))
  const body = Buffer.concat([
    Buffer.from([1, version >> 8, version & 0xff, 0, specs.length, 0, 0, 0, 16]),
    specs,
    Buffer.alloc(16, 7),
  ])
  return Buffer.concat([Buffer.from([0x80 | (body.length >> 8), body.length & 0xff]), body])
}

t.test('the SSLv2 format', async (t) => {
  for (const version of [0x0002, 0x0300, 0x0301]) {
    const octets = sslv2(version, [0x010080, 0x00002f, 0x0700c0])
    t.match(hello(readClientHello(octets)), {
      format: 'sslv2',
      legacyVersion: version,
      versions: [version],
      cipherSuites: [0x010080, 0x2f, 0x0700c0],
    })
    everyPrefix(t, octets, `version ${version}`)
  }
})

t.test('what is no ClientHello', async (t) => {
  const table: readonly (readonly [string, Buffer])[] = [
    ['SMTP', Buffer.from('EHLO client\r\n')],
    ['an alert', Buffer.from([0x15, 3, 1, 0, 2, 2, 40])],
    ['application data', Buffer.from([0x17, 3, 3, 0, 1, 0])],
    ['a ServerHello', Buffer.from([0x16, 3, 3, 0, 4, 2, 0, 0, 0])],
    ['another major version', Buffer.from([0x16, 2, 0, 0, 4, 1, 0, 0, 0])],
    ['an empty record', Buffer.from([0x16, 3, 1, 0, 0])],
    ['a record that is too long', Buffer.from([0x16, 3, 1, 0x40, 1])],
    ['a message that is too long', Buffer.from([0x16, 3, 1, 0, 4, 1, 1, 0, 0])],
    ['an alert in the middle of the message', Buffer.from([0x16, 3, 1, 0, 2, 1, 0, 0x15, 3, 1, 0, 2])],
    ['a body that ends too soon', Buffer.from([0x16, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3])],
    ['an SSLv2 ServerHello', Buffer.from([0x80, 20, 4, 0, 1, 0, 2, 0, 0, 0, 0, 0])],
    ['an SSLv2 hello that is too short', Buffer.from([0x80, 3, 1, 0, 2, 0, 0, 0, 0, 0, 0])],
  ]
  for (const [name, octets] of table) t.equal(readClientHello(octets).state, 'none', name)
})

t.test('ten thousand mutations: never throws, never loops', async (t) => {
  const random = seeded(1, 'client-hello')
  const below = (limit: number): number => Math.floor(random() * limit)
  const sources = [await capture(node({ servername: NAME, ALPNProtocols: ['smtp'] })), sslv2(0x0301, [0x2f])]
  const states = { more: 0, none: 0, hello: 0 }
  for (let number = 0; number < 10_000; number++) {
    const source = sources[number % 2] ?? Buffer.alloc(0)
    let octets: Buffer = Buffer.from(source)
    for (let change = 0; change <= below(6); change++) octets[below(octets.length)] = below(256)
    if (random() < 0.3) octets = octets.subarray(0, below(octets.length))
    if (random() < 0.2) octets = fragmented(octets, 1 + below(40))
    try {
      states[readClientHello(octets).state] += 1
    } catch (error) {
      t.fail(`mutation ${number}: ${String(error)}: ${octets.toString('hex')}`)
    }
  }
  t.ok(states.more > 500 && states.none > 500 && states.hello > 500, JSON.stringify(states))
})
