/** `badmx strip` in front of a real smtp-server with STARTTLS, with real clients: what they are told, and what is told of them. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { generate } from 'selfsigned'
import { SMTPServer } from 'smtp-server'
import t from 'tap'
import { decodeEvent, type PeerEvent } from '../../peers/events.ts'
import { findProgram } from '../process/program.ts'
import { badmxEach, Program, startBadmx, type Test } from './program.ts'

const PATH = process.env['PATH'] ?? ''
const missing = (program: string): string | false =>
  findProgram(program, PATH, '/') === undefined ? `no ${program} here` : false

interface Server {
  readonly port: number
  /** One entry per message: whether it came inside TLS. */
  readonly secure: boolean[]
  /** Ports that its clients came from. */
  readonly from: number[]
}

async function realServer(t: Test): Promise<Server> {
  const pair = await generate([{ name: 'commonName', value: 'mx.badmx.test' }])
  const secure: boolean[] = []
  const from: number[] = []
  const server = new SMTPServer({
    key: pair.private,
    cert: pair.cert,
    authOptional: true,
    allowInsecureAuth: true,
    logger: false,
    onConnect: (session, done) => {
      from.push((session as typeof session & { remotePort: number }).remotePort)
      done()
    },
    onAuth: (_auth, _session, done) => done(null, { user: 'someone' }),
    onData: (stream, session, done) => {
      stream.resume()
      stream.once('end', () => {
        secure.push(session.secure)
        done()
      })
    },
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const address = server.server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, secure, from }
}

interface Strip {
  readonly program: Program
  readonly port: number
  readonly cwd: string
  /** The line of the nth session, from 1. */
  line(number: number): Promise<string>
  /** Ends it with a signal; its events. */
  end(signal?: NodeJS.Signals): Promise<PeerEvent[]>
}

async function strip(t: Test, cwd: string, target: number, ...words: readonly string[]): Promise<Strip> {
  const program = startBadmx(
    t,
    cwd,
    'strip',
    '--listen',
    '127.0.0.1:0',
    '--target',
    `127.0.0.1:${target}`,
    '--out',
    'out',
    ...words,
  )
  const found = await program.until(({ stderr }) =>
    /listening on 127\.0\.0\.1 port (\d+), in front of 127\.0\.0\.1:\d+; events in out/.exec(stderr),
  )
  return {
    program,
    port: Number(found[1]),
    cwd,
    line: (number) => program.until(({ stdout }) => stdout.split('\n').slice(0, -1)[number - 1]),
    async end(signal = 'SIGINT') {
      program.child.kill(signal)
      const { code, stderr } = await program.ended
      if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`)
      const lines = readFileSync(join(cwd, 'out', 'events.ndjson'), 'utf8')
        .split('\n')
        .slice(0, -1)
      return lines.map((line) => decodeEvent(line) as unknown as PeerEvent)
    },
  }
}

/** curl with a message; `--ssl` is opportunistic, `--ssl-reqd` is not. */
async function curl(t: Test, cwd: string, port: number, ...words: readonly string[]): Promise<number | null> {
  const options = [
    '--silent',
    '--max-time',
    '20',
    '--mail-from',
    'a@client.test',
    '--mail-rcpt',
    'b@mx.badmx.test',
    '--upload-file',
    '/dev/null',
  ]
  const to = ['--connect-to', `mx.badmx.test:25:127.0.0.1:${port}`, 'smtp://mx.badmx.test:25/client.test']
  return (await new Program(t, ['curl', ...options, ...words, ...to], cwd, { PATH, HOME: cwd }).ended).code
}

async function swaks(t: Test, cwd: string, port: number, ...words: readonly string[]): Promise<number | null> {
  const options = [
    '--server',
    '127.0.0.1',
    '--port',
    String(port),
    '--from',
    'a@client.test',
    '--to',
    'b@mx.badmx.test',
    '--helo',
    'client.test',
    '--timeout',
    '20',
  ]
  return (await new Program(t, ['swaks', ...options, ...words], cwd, { PATH, HOME: cwd }).ended).code
}

function fired(events: readonly PeerEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'fired' ? [event.behaviour] : []))
}

t.test(
  'two vectors in turn, real clients',
  { skip: missing('curl') || missing('swaks'), timeout: 110_000 },
  async (t) => {
    const server = await realServer(t)
    const mitm = await strip(
      t,
      t.testdir({}),
      server.port,
      '--behaviour',
      'hide-starttls',
      '--behaviour',
      'refuse-starttls:code=454',
    )
    const { cwd, port } = mitm
    t.equal(await curl(t, cwd, port, '--ssl', '--insecure'), 0)
    t.match(
      await mitm.line(1),
      /127\.0\.0\.1:\d+ hide-starttls: removed "250[- ]STARTTLS" \| sent mail in clear, quit$/,
    )
    t.not(await curl(t, cwd, port, '--ssl-reqd', '--insecure'), 0)
    t.match(await mitm.line(2), /refuse-starttls: .*454.* \| /)
    t.notMatch(await mitm.line(2), /in clear/, 'a client that requires TLS sends nothing')
    t.equal(await swaks(t, cwd, port, '--auth', 'PLAIN', '--auth-user', 'someone', '--auth-password', 'secret'), 0)
    t.match(await mitm.line(3), /hide-starttls: .* \| sent credentials in clear, sent mail in clear, quit$/)
    t.not(await swaks(t, cwd, port, '--tls'), 0)
    t.match(await mitm.line(4), /refuse-starttls/)
    t.strictSame(server.secure, [false, false])
    t.strictSame(fired(await mitm.end()), ['hide-starttls', 'refuse-starttls', 'hide-starttls', 'refuse-starttls'])
  },
)

t.test('one vector per client, and pass-through', { skip: missing('curl'), timeout: 110_000 }, async (t) => {
  const server = await realServer(t)
  const mitm = await strip(
    t,
    t.testdir({}),
    server.port,
    '--per',
    'client',
    '--behaviour',
    'refuse-starttls:visits=1',
    '--behaviour',
    'hide-starttls',
  )
  t.not(await curl(t, mitm.cwd, mitm.port, '--ssl-reqd', '--insecure'), 0)
  t.match(await mitm.line(1), /refuse-starttls/)
  t.equal(await curl(t, mitm.cwd, mitm.port, '--ssl-reqd', '--insecure'), 0)
  t.match(
    await mitm.line(2),
    /nothing fired \| spoke TLS with the server/,
    'the same vector, which leaves the second visit alone',
  )
  t.strictSame(server.secure, [true], 'STARTTLS was passed through')
  const events = await mitm.end('SIGTERM')
  t.ok(
    events.some((event) => event.type === 'tls' && event.state === 'hello'),
    'the hello was seen on its way',
  )
  t.notOk(
    events.some((event) => event.type === 'tls' && event.state === 'up'),
    'and not answered',
  )
})

for (const [certificate, accepted] of [
  ['untrusted', false],
  ['self-signed', false],
  ['test-ca', true],
] as const) {
  t.test(`interception with ${certificate}`, { skip: missing('curl'), timeout: 110_000 }, async (t) => {
    const server = await realServer(t)
    const upstream = certificate === 'self-signed' ? 'clear' : 'tls'
    const mitm = await strip(
      t,
      t.testdir({}),
      server.port,
      '--intercept',
      certificate,
      '--upstream',
      upstream,
      '--name',
      'mx.badmx.test',
    )
    const trusting = ['--ssl-reqd', '--cacert', join('out', 'ca.pem')]
    const code = await curl(t, mitm.cwd, mitm.port, ...trusting)
    if (accepted) t.equal(code, 0, 'a client that trusts the test CA delivers')
    else t.equal(code, 60, 'curl refuses the certificate')
    t.match(await mitm.line(1), accepted ? /spoke TLS with the man in the middle, quit$/ : / \| gave TLS up \(/)
    t.equal(await curl(t, mitm.cwd, mitm.port, '--ssl-reqd', '--insecure'), 0)
    t.match(await mitm.line(2), /spoke TLS with the man in the middle/)
    t.strictSame(server.secure, accepted ? [true, true] : [upstream === 'tls'], 'what the server got')
    const events = await mitm.end()
    t.ok(
      events.some((event) => event.type === 'bytes' && event.layer === 'tls' && event.data.includes('MAIL FROM')),
      'the mail was read',
    )
  })
}

const noTshark = spawnSync('tshark', ['--version'], { timeout: 30_000 }).status === 0 ? false : 'no tshark here'

for (const [how, words, inTls] of [
  ['interception, TLS to the server', ['--intercept', 'self-signed'], [true, true]],
  ['interception, clear to the server', ['--intercept', 'self-signed', '--upstream', 'clear'], [true, false]],
  ['STARTTLS hidden', ['--behaviour', 'hide-starttls'], [false, false]],
] as const) {
  t.test(
    `a capture has both connections: ${how}`,
    { skip: missing('curl') || noTshark, timeout: 110_000 },
    async (t) => {
      const server = await realServer(t)
      const mitm = await strip(t, t.testdir({}), server.port, ...words)
      t.equal(await curl(t, mitm.cwd, mitm.port, '--ssl', '--insecure'), 0)
      await mitm.line(1)
      await mitm.end()
      const [shown] = await badmxEach(t, mitm.cwd, [['show', 'out', 'mx.1', '--pcapng', 'both.pcapng']])
      t.match(shown, { code: 0, stdout: 'both.pcapng\n' })
      const read = (filter: string, ...fields: readonly string[]): string[] => {
        const wanted = fields.flatMap((field) => ['-e', field])
        const args = [
          '-n',
          '-r',
          join(mitm.cwd, 'both.pcapng'),
          '-Y',
          filter,
          '-T',
          'fields',
          '-E',
          'separator=|',
          ...wanted,
        ]
        const { status, stdout, stderr } = spawnSync('tshark', args, { encoding: 'utf8', timeout: 60_000 })
        if (status !== 0) throw new Error(stderr)
        return stdout.split('\n').filter((line) => line !== '')
      }
      for (const [stream, secured] of inTls.entries()) {
        const commands = read(`tcp.stream == ${stream} && ${secured ? '' : '!'}tls`, 'smtp.req.command').join()
        t.match(
          commands,
          /EHLO.*MAIL.*RCPT.*DATA/,
          `the mail ${secured ? 'inside TLS' : 'in clear'} in stream ${stream}`,
        )
        t.equal(read(`tcp.stream == ${stream} && tls.handshake.type == 1`, 'frame.number').length, secured ? 1 : 0)
      }
      t.strictSame(read('tcp.stream > 1', 'frame.number'), [], 'and no third')
      const ends = read('tcp.flags.syn == 1 && tcp.flags.ack == 0', 'ip.src', 'tcp.srcport', 'ip.dst', 'frame.comment')
      t.match(ends[1]?.split('|').slice(0, 3), ['127.0.0.1', String(server.from[0]), '127.0.0.1'])
      t.match(ends[0], `it really listens on port ${mitm.port}`)
      t.match(ends[1], `it really listens on port ${server.port}`)
      t.strictSame(read('_ws.malformed or tcp.analysis.flags or tls.ignored_unknown_record', 'frame.number'), [])
    },
  )
}

t.test('the real server is down', { timeout: 60_000 }, async (t) => {
  const gone = createServer()
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
  const address = gone.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await new Promise((resolve) => gone.close(resolve))
  const mitm = await strip(t, t.testdir({}), port, '--behaviour', 'hide-starttls')
  const socket: Socket = connect(mitm.port, '127.0.0.1')
  t.teardown(() => void socket.destroy())
  t.match(await text(socket), /^421 /, 'the client is told so')
  t.match(
    await mitm.line(1),
    /the server is out of reach \(.*ECONNREFUSED.*\) \| left without a word$/,
    'and so is the person',
  )
  await mitm.end()
})

t.test('the port is in use', { timeout: 60_000 }, async (t) => {
  const server = await realServer(t)
  const cwd = t.testdir({})
  const program = startBadmx(
    t,
    cwd,
    'strip',
    '--listen',
    `127.0.0.1:${server.port}`,
    '--target',
    '127.0.0.1:9',
    '--behaviour',
    'hide-starttls',
    '--out',
    'out',
  )
  t.match(await program.ended, {
    code: 2,
    stdout: '',
    stderr: /^badmx: 127\.0\.0\.1 port \d+ is in use by another program: choose another port/,
  })
  t.notOk(existsSync(join(cwd, 'out')), 'no folder is left')
  t.strictSame(readdirSync(cwd), ['tmp'])
})

t.test('a persona that shows itself in the handshake needs an end of TLS', { timeout: 60_000 }, async (t) => {
  const to = ['--listen', '127.0.0.1:0', '--target', '127.0.0.1:9', '--persona']
  const program = startBadmx(t, t.testdir({}), 'strip', ...to, 'pq-hello-hangs')
  t.match(await program.ended, { code: 2, stderr: /pq-hello-hangs shows itself in the handshake.*--intercept/s })
  const idle = startBadmx(t, t.testdir({}), 'strip', ...to, 'sound')
  t.match(await idle.ended, { code: 2, stderr: /sound has no behaviours/ })
})
