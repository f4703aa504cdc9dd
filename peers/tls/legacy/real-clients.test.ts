/**
 * The legacy engine against programs that still speak the old protocols: GnuTLS, OpenSSL 1.0.1 and 1.0.2 (in old Node.js
 * programs), msmtp. Every combination of version, key exchange and cipher that such a client has completes, and SMTP goes both
 * ways in it. (OpenSSL 3 is in engine.test.ts.)
 */
import t from 'tap'
import { type Peer, peer } from '../../peer.ts'
import { rsaCertificate } from '../../testing/legacy.ts'
import { certificate, Log } from '../../testing/log.ts'
import { missing, oldNode, run } from '../../testing/programs.ts'
import type { LegacyTlsInput } from './options.ts'
import type { VersionName } from './protocol.ts'
import { keyTypeOf, SUITES, type Suite } from './suites.ts'

const EVERYTHING = {
  min: 'SSLv3',
  suites: SUITES.map(({ name }) => name),
  dhBits: 1024,
} as const satisfies LegacyTlsInput

interface Place {
  readonly mx: Peer
  readonly log: Log
}

async function serve(
  t: { teardown(done: () => unknown): void },
  options: LegacyTlsInput = EVERYTHING,
  key: 'rsa' | 'ec' = 'rsa',
  on: 'starttls' | 'connect' = 'connect',
): Promise<Place> {
  const log = new Log()
  const own = key === 'rsa' ? await rsaCertificate() : await certificate()
  const mx = await peer([], { log: log.sink, tls: { certificate: own, on, legacy: options } })
  t.teardown(() => mx.close())
  return { mx, log }
}

/** `TLSv1.2 TLS_RSA_WITH_RC4_128_SHA` for each session that came up, in order. */
function sessions({ log }: Place): string[] {
  return log.of('tls').flatMap((event) => (event.state === 'up' ? [`${event.version} ${event.cipher}`] : []))
}

/** Runs tasks, two at a time. */
async function inTurn(tasks: readonly (() => Promise<void>)[]): Promise<void> {
  const queue = [...tasks]
  const worker = async (): Promise<void> => {
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) await task()
  }
  await Promise.all([worker(), worker()])
}

// GnuTLS

const GNUTLS_VERSIONS: readonly (readonly [VersionName, string])[] = [
  ['TLSv1', 'VERS-TLS1.0'],
  ['TLSv1.1', 'VERS-TLS1.1'],
  ['TLSv1.2', 'VERS-TLS1.2'],
]
const GNUTLS_CIPHERS: Readonly<Record<string, string>> = {
  NULL: 'NULL',
  RC4_128: 'ARCFOUR-128',
  '3DES_EDE_CBC': '3DES-CBC',
  AES_128_CBC: 'AES-128-CBC',
  AES_256_CBC: 'AES-256-CBC',
  AES_128_GCM: 'AES-128-GCM',
  AES_256_GCM: 'AES-256-GCM',
}
const GNUTLS_EXCHANGES: Readonly<Record<string, string>> = {
  RSA: 'RSA',
  DHE_RSA: 'DHE-RSA',
  DH_anon: 'ANON-DH',
  ECDHE_RSA: 'ECDHE-RSA',
  ECDHE_ECDSA: 'ECDHE-ECDSA',
  ECDH_anon: 'ANON-ECDH',
}

/** The priority string for one suite alone; undefined where GnuTLS does not have it. */
function priorityFor({ standardName, exchange, mac }: Suite, version: string, group = 'GROUP-ALL'): string | undefined {
  const [, bulk = ''] = /_WITH_(.*)_[A-Z0-9]+$/.exec(standardName) ?? []
  const [cipher, keyExchange] = [GNUTLS_CIPHERS[bulk], GNUTLS_EXCHANGES[exchange]]
  if (cipher === undefined || keyExchange === undefined) return undefined
  const hash = mac === undefined ? 'AEAD' : mac.toUpperCase()
  const always = '+CTYPE-ALL:+SIGN-ALL:+COMP-NULL'
  return `NONE:+${version}:+${cipher}:+${hash}:+${keyExchange}:+${group}:${always}:%VERIFY_ALLOW_BROKEN`
}

async function gnutls({ mx }: Place, priority: string): Promise<string> {
  const how = ['--insecure', '--logfile=/dev/null', '--starttls-proto=smtp', '--priority', priority]
  // What it reads of its input at once would come before the banner of a server with TLS on connect.
  const { stdout, stderr } = await run(
    'gnutls-cli',
    [...how, '--port', String(mx.port), '127.0.0.1'],
    'EHLO client\r\nQUIT\r\n',
    '221 ',
  )
  return stdout + stderr
}

t.test(
  'gnutls-cli: every suite, version and group',
  { skip: missing('gnutls-cli') ?? false, timeout: 180_000 },
  async (t) => {
    const places = {
      rsa: await serve(t, EVERYTHING, 'rsa', 'starttls'),
      ec: await serve(t, EVERYTHING, 'ec', 'starttls'),
    }
    const tasks: (() => Promise<void>)[] = []
    for (const suite of SUITES)
      for (const [version, name] of GNUTLS_VERSIONS) {
        const groups = suite.exchange.startsWith('ECDH') ? ['GROUP-X25519', 'GROUP-SECP256R1'] : ['GROUP-ALL']
        for (const group of groups) {
          const priority = priorityFor(suite, name, group)
          if (priority === undefined || (suite.tls12 && version !== 'TLSv1.2')) continue
          tasks.push(async () => {
            const said = await gnutls(places[keyTypeOf(suite) === 'ec' ? 'ec' : 'rsa'], priority)
            t.match(said, /(^|\n)250 [^\n]*\n221 /, `${version} ${suite.name} ${group}`)
          })
        }
      }
    await inTurn(tasks)
    const up = new Set([...sessions(places.rsa), ...sessions(places.ec)])
    for (const wanted of [
      'TLSv1 TLS_RSA_WITH_RC4_128_MD5',
      'TLSv1.1 TLS_RSA_WITH_3DES_EDE_CBC_SHA',
      'TLSv1.2 TLS_RSA_WITH_RC4_128_SHA',
    ])
      t.ok(up.has(wanted), wanted)
    t.equal(sessions(places.rsa).length + sessions(places.ec).length, tasks.length, `${tasks.length} combinations`)
    t.ok(tasks.length > 90)
  },
)

// OpenSSL 1.0.1 and 1.0.2

interface Wish {
  readonly port: number
  readonly secureProtocol?: string
  readonly ciphers: string
  readonly cert?: string
  readonly key?: string
}

/** Reads wishes and says a line of JSON for each: `[cipher, answers]`, or `[error]`. For Node.js 0.12 as well as 8. */
const OLD_CLIENT = `
var tls = require('tls'), wishes = WISHES, left = wishes.length, told = [];
wishes.forEach(function (wish, index) {
  var heard = '', sent = 0, problem = '';
  wish.rejectUnauthorized = false;
  var client = tls.connect(wish);
  var steps = ['EHLO client\\r\\n', 'QUIT\\r\\n'];
  client.on('data', function (chunk) {
    heard += chunk;
    if (/^\\d{3} .*\\r\\n$/m.test(heard.slice(-60)) && steps.length) client.write(steps.shift());
  });
  client.on('secureConnect', function () { told[index] = client.getCipher().name; });
  client.on('error', function (error) { problem = String(error.message); });
  client.on('close', function () {
    var done = /\\n221 /.test(heard);
    told[index] = done ? told[index] : 'failed: ' + problem + ' ' + heard;
    left -= 1;
    if (left === 0) console.log(JSON.stringify(told));
  });
});
`

async function old(name: 'node-0.12' | 'node-8', wishes: readonly Wish[], ...flags: string[]): Promise<string[]> {
  const all = wishes.map((wish) => ({ ...wish, host: '127.0.0.1' }))
  const script = OLD_CLIENT.replace('WISHES', JSON.stringify(all))
  // tap gives the programs of a test options that an old one refuses.
  const { stdout, stderr } = await run('env', ['-u', 'NODE_OPTIONS', oldNode(name).path, ...flags, '-e', script])
  if (!stdout.startsWith('[')) throw new Error(`${name} said: ${stdout}${stderr}`)
  return JSON.parse(stdout) as string[]
}

/** OpenSSL before 3 has no other names for these. */
const NAMES_BEFORE: Readonly<Record<string, string>> = {
  'DHE-RSA-DES-CBC3-SHA': 'EDH-RSA-DES-CBC3-SHA',
  'DHE-RSA-DES-CBC-SHA': 'EDH-RSA-DES-CBC-SHA',
}
const METHODS = {
  SSLv3: 'SSLv3_method',
  TLSv1: 'TLSv1_method',
  'TLSv1.1': 'TLSv1_1_method',
  'TLSv1.2': 'TLSv1_2_method',
} as const

function wishesFor(place: Place, suites: readonly Suite[], versions: readonly VersionName[]): Wish[] {
  return suites.flatMap((suite) =>
    versions
      .filter(
        (version) =>
          !(suite.tls12 && version !== 'TLSv1.2') && !(suite.exchange.startsWith('ECDH') && version === 'SSLv3'),
      )
      .map((version) => ({
        port: place.mx.port,
        secureProtocol: METHODS[version],
        ciphers: NAMES_BEFORE[suite.name] ?? suite.name,
      })),
  )
}

t.test(
  'OpenSSL 1.0.1: SSL 3.0 to TLS 1.2, with DES and export suites',
  { skip: oldNode('node-0.12').missing ?? false, timeout: 60_000 },
  async (t) => {
    const place = await serve(t)
    const suites = SUITES.filter((suite) => keyTypeOf(suite) !== 'ec' && suite.name !== 'AECDH-AES128-SHA')
    // Its TLS 1.2 takes single DES and export suites too.
    const wishes = wishesFor(place, suites, ['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2'])
    const told = await old('node-0.12', wishes, '--enable-ssl3')
    t.strictSame(
      told,
      wishes.map(({ ciphers }) => ciphers),
    )
    const up = sessions(place)
    for (const wanted of [
      'SSLv3 TLS_RSA_WITH_RC4_128_MD5',
      'SSLv3 TLS_RSA_WITH_DES_CBC_SHA',
      'SSLv3 TLS_RSA_EXPORT_WITH_DES40_CBC_SHA',
      'TLSv1 TLS_RSA_EXPORT_WITH_RC4_40_MD5',
      'TLSv1.1 TLS_DHE_RSA_WITH_DES_CBC_SHA',
    ])
      t.ok(up.includes(wanted), wanted)
    t.equal(up.length, wishes.length, `${wishes.length} combinations`)
  },
)

t.test(
  'OpenSSL 1.0.1: a hello in the format of SSLv2',
  { skip: oldNode('node-0.12').missing ?? false, timeout: 60_000 },
  async (t) => {
    for (const max of ['SSLv3', 'TLSv1', 'TLSv1.2'] as const) {
      const place = await serve(t, { ...EVERYTHING, max })
      const told = await old(
        'node-0.12',
        [{ port: place.mx.port, secureProtocol: 'SSLv23_method', ciphers: 'RC4-SHA:DES-CBC3-MD5' }],
        '--enable-ssl2',
        '--enable-ssl3',
      )
      t.strictSame(told, ['RC4-SHA'])
      t.strictSame(sessions(place), [`${max} TLS_RSA_WITH_RC4_128_SHA`])
      t.match(
        place.log.of('tls').find((event) => event.state === 'hello'),
        { hello: { format: 'sslv2' } },
      )
      t.equal(place.log.octets('client', 'in', 'tcp').length, 0, 'nothing of it is taken for cleartext')
    }
  },
)

t.test(
  'OpenSSL 1.0.1: client certificates from SSL 3.0 on, and none',
  { skip: oldNode('node-0.12').missing ?? false, timeout: 60_000 },
  async (t) => {
    const own = await rsaCertificate()
    for (const version of ['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2'] as const) {
      const log = new Log()
      const tls = { certificate: own, on: 'connect', clientCertificate: 'request', legacy: EVERYTHING } as const
      const mx = await peer([], { log: log.sink, tls })
      t.teardown(() => mx.close())
      const wish = { port: mx.port, secureProtocol: METHODS[version], ciphers: 'AES128-SHA' }
      const with1 = { ...wish, cert: own.certPem, key: own.keyPem }
      t.strictSame(await old('node-0.12', [with1], '--enable-ssl3'), ['AES128-SHA'], version)
      t.strictSame(await old('node-0.12', [wish], '--enable-ssl3'), ['AES128-SHA'], `${version}, no certificate`)
      t.match(
        log.of('tls').filter((event) => event.state === 'up'),
        [{ clientChain: own.chain }, { clientChain: [] }],
      )
    }
  },
)

t.test(
  'OpenSSL 1.0.2: RC4 and 3DES at TLS 1.2, and over 100 suites in one hello',
  { skip: oldNode('node-8').missing ?? false, timeout: 60_000 },
  async (t) => {
    const place = await serve(t)
    const modern = /EXP|DES-CBC-SHA|NULL-MD5/
    const suites = SUITES.filter(
      (suite) => keyTypeOf(suite) !== 'ec' && (!modern.test(suite.name) || /DES-CBC3/.test(suite.name)),
    )
    const wishes = wishesFor(place, suites, ['TLSv1', 'TLSv1.1', 'TLSv1.2'])
    t.strictSame(
      await old('node-8', wishes),
      wishes.map(({ ciphers }) => ciphers),
    )
    t.equal(sessions(place).length, wishes.length, `${wishes.length} combinations`)
    const all = await serve(t)
    await old('node-8', [{ port: all.mx.port, ciphers: 'ALL' }])
    const [hello] = all.log.of('tls')
    t.ok(hello?.state === 'hello' && hello.hello.cipherSuites.length > 100)
  },
)

t.test('msmtp delivers in TLS 1.0 with RC4', { skip: missing('msmtp') ?? false, timeout: 30_000 }, async (t) => {
  const place = await serve(t, { max: 'TLSv1', suites: ['RC4-MD5', 'RC4-SHA', 'DES-CBC3-SHA'] }, 'rsa', 'starttls')
  const priorities = '--tls-priorities=NORMAL:+ARCFOUR-128:+3DES-CBC:+MD5:+VERS-TLS1.0:%VERIFY_ALLOW_BROKEN'
  const options = [
    '--host=127.0.0.1',
    `--port=${place.mx.port}`,
    '--tls=on',
    '--tls-starttls=on',
    '--tls-certcheck=off',
    priorities,
  ]
  const { code, stderr } = await run(
    'msmtp',
    [...options, '--from=a@b.test', '--', 'c@d.test'],
    'Subject: x\r\n\r\ntext\r\n',
  )
  t.equal(code, 0, stderr)
  t.strictSame(sessions(place), ['TLSv1 TLS_RSA_WITH_RC4_128_MD5'])
  t.match(place.log.octets('client', 'in', 'tls').toString('latin1'), /Subject: x/)
})
