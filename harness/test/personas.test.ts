/** Every persona against real clients (Node's TLS, openssl s_client, and hellos of our own): it does what its file says. */
import { once } from 'node:events'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import { peer } from '../../peers/peer.ts'
import { loadPersonas } from '../../peers/personas.ts'
import { Client } from '../../peers/testing/client.ts'
import { authority, Log } from '../../peers/testing/log.ts'
import { missing, run } from '../../peers/testing/programs.ts'
import { personaOptions } from '../persona-peer.ts'

const withOpenssl = missing('openssl') === undefined ? {} : { skip: missing('openssl') ?? '' }
const personas = await loadPersonas()
const all = new Map(
  [...personas.values()]
    .flatMap((persona) => [persona, ...Object.values(persona.options)])
    .map((each) => [each.id, each]),
)
const tried = new Set<string>()

interface Met {
  readonly port: number
  readonly log: Log
  readonly client: Client
  readonly banner: string
  readonly ehlo: string
}

/** The persona `id`, and a client that has read its EHLO reply. */
async function meet(t: Test, id: string): Promise<Met> {
  const persona = all.get(id)
  if (persona === undefined) throw new Error(`no persona ${id}`)
  tried.add(id)
  const log = new Log()
  const options = await personaOptions(persona, 'mx.badmx.test', authority())
  const mx = await peer(persona.stack, { ...options, log: log.sink })
  t.teardown(() => mx.close())
  const client = await Client.connect(mx.port)
  t.teardown(() => client.reset())
  const banner = await client.reply()
  client.send('EHLO client\r\n')
  return { port: mx.port, log, client, banner, ehlo: await client.reply() }
}

/** What a client of Node's meets behind STARTTLS: `TLSv1.3`, `refused`, or `silence` where the persona falls silent. */
async function shake({ client, log }: Met, options: ConnectionOptions = {}): Promise<string> {
  const code = await client.ask('STARTTLS')
  if (code !== 220) return String(code)
  const silence = log.when((event) => event.type === 'fired' && event.detail.endsWith('silence')).then(() => 'silence')
  const up = client.startTls({ ciphers: 'DEFAULT@SECLEVEL=0', minVersion: 'TLSv1', ...options }).then(
    (tls: TLSSocket) => tls.getProtocol() ?? '',
    () => 'refused',
  )
  return Promise.race([silence, up])
}

async function meetAndShake(t: Test, id: string, options: ConnectionOptions = {}): Promise<string> {
  return shake(await meet(t, id), options)
}

/** A ClientHello of TLS 1.2 without extensions. */
function clientHello(suites: readonly number[]): Buffer {
  const list = Buffer.alloc(2 + suites.length * 2)
  list.writeUInt16BE(suites.length * 2, 0)
  for (const [index, suite] of suites.entries()) list.writeUInt16BE(suite, 2 + index * 2)
  const body = Buffer.concat([Buffer.from([3, 3]), Buffer.alloc(32, 7), Buffer.from([0]), list, Buffer.from([1, 0])])
  const header = Buffer.from([22, 3, 1, 0, 0, 1, 0, 0, 0])
  header.writeUInt16BE(body.length + 4, 3)
  header.writeUIntBE(body.length, 6, 3)
  return Buffer.concat([header, body])
}

/** How the persona ends a connection with a hello of our own: `dropped, peer fin` where it answers the hello itself. */
async function answerTo(t: Test, id: string, suites: readonly number[]): Promise<string> {
  const { client, log } = await meet(t, id)
  await client.ask('STARTTLS')
  client.send(clientHello(suites))
  const how = await log.ending()
  return log.proofs().some((proof) => proof.startsWith('fired answer-client-hello')) ? `dropped, ${how}` : how
}

/** ALPN names that make a ClientHello longer by so many octets. */
function padded(octets: number): ConnectionOptions {
  const names = Array.from({ length: Math.floor(octets / 101) }, (_, index) => String(index).padStart(100, 'x'))
  const rest = octets % 101
  return { ALPNProtocols: rest > 1 ? [...names, 'y'.repeat(rest - 1)] : names }
}

t.test('sound', async (t) => {
  t.equal(await meetAndShake(t, 'sound'), 'TLSv1.3')
})

t.test('tls13-only', async (t) => {
  t.equal(await meetAndShake(t, 'tls13-only'), 'TLSv1.3')
  t.equal(await meetAndShake(t, 'tls13-only', { maxVersion: 'TLSv1.2' }), 'refused')
})

t.test('cisco-pix', async (t) => {
  const met = await meet(t, 'cisco-pix')
  t.match(met.banner, /^220 \*+\r\n$/)
  t.match(met.ehlo, /250[- ]XXXXXXXA\r\n/)
  t.equal(await shake(met), '500')
})

t.test('exchange-5.5', async (t) => {
  const met = await meet(t, 'exchange-5.5')
  t.match(met.ehlo, /STARTTLS/)
  t.equal(await shake(met), '554')
})

t.test('postfix-no-key', async (t) => {
  t.equal(await meetAndShake(t, 'postfix-no-key'), '454')
})

t.test('qmail-double-starttls', async (t) => {
  const met = await meet(t, 'qmail-double-starttls')
  t.equal(met.ehlo.match(/STARTTLS/g)?.length, 2)
  t.equal(await shake(met), 'TLSv1.3')
})

t.test('ironport-454', async (t) => {
  const { client } = await meet(t, 'ironport-454')
  t.equal(await client.ask('STARTTLS'), 220)
  client.send(clientHello([0xc02b]))
  t.match(await client.reply(), /^\x15\x03\0\0\x02\x02\x28454 TLS not available/)
})

t.test('google-no-sni', async (t) => {
  t.equal(await meetAndShake(t, 'google-no-sni'), 'TLSv1.3')
  t.equal(await meetAndShake(t, 'google-no-sni', { servername: '' }), 'TLSv1.2')
})

t.test('rst-after-220', async (t) => {
  const { client, log } = await meet(t, 'rst-after-220')
  t.equal(await client.ask('STARTTLS'), 220)
  t.equal(await log.ending(), 'peer rst')
})

t.test('outlook-schannel-2016', async (t) => {
  const chain = async (id: string): Promise<ConnectionOptions> => {
    const { certPem, keyPem } = await authority().clientChain(id)
    return { cert: certPem, key: keyPem }
  }
  t.equal(await meetAndShake(t, 'outlook-schannel-2016'), 'TLSv1.2', 'it asks, and takes an empty answer')
  t.equal(await meetAndShake(t, 'outlook-schannel-2016', await chain('good')), 'TLSv1.2')
  t.equal(await meetAndShake(t, 'outlook-schannel-2016', await chain('md5-root-left-out')), 'TLSv1.2')
  t.equal(await meetAndShake(t, 'outlook-schannel-2016', await chain('md5-root')), 'refused')
  t.match(await answerTo(t, 'outlook-schannel-2016', [0x0005, 0x0004, 0x00ff]), /^dropped/, 'RC4 alone')
})

t.test('too-many-ca-names', withOpenssl, async (t) => {
  const met = await meet(t, 'too-many-ca-names')
  t.equal(await shake(met), 'TLSv1.2')
  const args = ['s_client', '-connect', `127.0.0.1:${met.port}`, '-starttls', 'smtp']
  const { stdout } = await run('openssl', args, 'QUIT\r\n')
  t.match(stdout, /Acceptable client certificate CA names/)
  t.equal(stdout.match(/CN = Certification Authority \d+ of 400/g)?.length, 400)
})

t.test('version-intolerant, version-intolerant-tls12', async (t) => {
  t.equal(await meetAndShake(t, 'version-intolerant'), 'refused')
  t.equal(await meetAndShake(t, 'version-intolerant', { maxVersion: 'TLSv1.2' }), 'TLSv1.2')
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const)
    t.equal(await meetAndShake(t, 'version-intolerant-tls12', { maxVersion }), 'refused')
  t.equal(await meetAndShake(t, 'version-intolerant-tls12', { maxVersion: 'TLSv1.1' }), 'TLSv1.1')
})

t.test('pq-hello-hangs', async (t) => {
  t.equal(await meetAndShake(t, 'pq-hello-hangs'), 'TLSv1.3')
  t.equal(await meetAndShake(t, 'pq-hello-hangs', padded(1400)), 'silence')
})

t.test('hello-over-255, f5-256-511', async (t) => {
  const small: ConnectionOptions = {
    maxVersion: 'TLSv1.2',
    minVersion: 'TLSv1.2',
    ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  }
  for (const id of ['hello-over-255', 'f5-256-511']) {
    t.equal(await meetAndShake(t, id, small), 'TLSv1.2')
    t.equal(await meetAndShake(t, id, { ...small, ...padded(200) }), 'silence', `${id}, a few hundred octets`)
  }
  t.equal(await meetAndShake(t, 'hello-over-255', { ...small, ...padded(600) }), 'silence')
  t.equal(await meetAndShake(t, 'f5-256-511', { ...small, ...padded(600) }), 'TLSv1.2')
})

t.test('schannel-2008-fragments', withOpenssl, async (t) => {
  const met = await meet(t, 'schannel-2008-fragments')
  t.equal(await shake(met), 'TLSv1.2')
  const alpn = Array.from({ length: 4 }, (_, index) => String(index).repeat(200)).join(',')
  const args = ['s_client', '-connect', `127.0.0.1:${met.port}`, '-starttls', 'smtp', '-alpn', alpn]
  t.match((await run('openssl', args, 'QUIT\r\n')).stdout, /Cipher is ECDHE/, 'a long hello in one record')
  t.match((await run('openssl', [...args, '-max_send_frag', '512'], 'QUIT\r\n')).stdout, /Cipher is \(NONE\)/)
})

t.test('asa-128-suites', async (t) => {
  t.equal(await meetAndShake(t, 'asa-128-suites'), 'TLSv1.2')
  const suites = (count: number): number[] => Array.from({ length: count }, (_, index) => 0x1234 + index)
  t.match(await answerTo(t, 'asa-128-suites', suites(129)), /^dropped/)
  t.notMatch(await answerTo(t, 'asa-128-suites', [...suites(128), 0x00ff]), /^dropped/, 'SCSV is no suite')
})

/** A mail by msmtp with GnuTLS, which still has the old ciphers: its error, or '' where it was delivered. */
async function msmtp({ port }: Met, ciphers: string): Promise<string> {
  const priority = `NONE:+VERS-TLS1.0:${ciphers}:+MD5:+SHA1:+RSA:+CTYPE-ALL:+SIGN-ALL:+COMP-NULL:%VERIFY_ALLOW_BROKEN`
  const tls = ['--tls=on', '--tls-starttls=on', '--tls-certcheck=off', `--tls-priorities=${priority}`]
  const where = ['--host=127.0.0.1', `--port=${port}`, '--from=a@b.test', '--', 'c@d.test']
  const { code, stderr } = await run('msmtp', [...tls, ...where], 'Subject: x\r\n\r\ntext\r\n')
  return code === 0 ? '' : stderr
}

const withMsmtp = missing('msmtp') === undefined ? {} : { skip: missing('msmtp') ?? '' }

t.test('exchange-2003: RC4 works to the end, 3DES dies after MAIL FROM', withMsmtp, async (t) => {
  t.equal(await msmtp(await meet(t, 'exchange-2003'), '+ARCFOUR-128'), '')
  const met = await meet(t, 'exchange-2003')
  t.match(await msmtp(met, '+3DES-CBC'), /unexpected TLS packet/i)
  t.ok(met.log.proofs().includes('fired add-stray-octets'))
  t.match(met.log.octets('client', 'in', 'tls').toString(), /^EHLO localhost\r\nMAIL FROM:/)
  const modern = await meet(t, 'exchange-2003')
  t.equal(await shake(modern), 'refused')
  t.same(modern.log.proofs(), ['opportunity refuse-silently', 'fired refuse-silently'])
})

t.test('exchange-2003: the first 64 suites of a hello', async (t) => {
  const padding = Array.from({ length: 64 }, (_, index) => 0x1234 + index)
  const beyond = await meet(t, 'exchange-2003')
  await beyond.client.ask('STARTTLS')
  beyond.client.send(clientHello([...padding, 0x0005]))
  t.equal(await beyond.log.ending(), 'peer fin')
  t.same(beyond.log.proofs().slice(0, 2), ['opportunity read-first-suites', 'fired read-first-suites'])
  const within = await meet(t, 'exchange-2003')
  await within.client.ask('STARTTLS')
  within.client.send(clientHello([0x0005, ...padding]))
  await within.log.when((event) => event.type === 'tls' && event.state === 'presented')
})

t.test('exchange-2003 with kb948963: AES breaks as 3DES does', withMsmtp, async (t) => {
  const patched = 'exchange-2003:kb948963=true'
  t.equal(await msmtp(await meet(t, patched), '+ARCFOUR-128'), '')
  t.equal(await msmtp(await meet(t, 'exchange-2003'), '+AES-128-CBC:+ARCFOUR-128'), '', 'without it there is no AES')
  const met = await meet(t, patched)
  t.match(await msmtp(met, '+AES-128-CBC:+ARCFOUR-128'), /unexpected TLS packet/i)
})

t.test('windows-2003-rc4-only', withMsmtp, async (t) => {
  t.equal(await msmtp(await meet(t, 'windows-2003-rc4-only'), '+ARCFOUR-128'), '')
  t.not(await msmtp(await meet(t, 'windows-2003-rc4-only'), '+3DES-CBC'), '')
})

t.test('domino-ssl3', async (t) => {
  t.equal(await meetAndShake(t, 'domino-ssl3'), 'refused')
  const { client } = await meet(t, 'domino-ssl3')
  await client.ask('STARTTLS')
  client.send(clientHello([0x002f]))
  const [record] = (await once(client.socket, 'data')) as Buffer[]
  t.same(record?.subarray(0, 3), Buffer.from([22, 3, 0]), 'a ServerHello of SSL 3.0')
})

t.test('domino-no-sslv2-hello', async (t) => {
  t.equal(await meetAndShake(t, 'domino-no-sslv2-hello'), 'TLSv1')
  const { client, log } = await meet(t, 'domino-no-sslv2-hello')
  await client.ask('STARTTLS')
  // CLIENT-HELLO of SSLv2: version 3.1, the suite AES128-SHA, no session, a challenge of 16 octets.
  client.send(Buffer.from(`801c01030100030000001000002f${'07'.repeat(16)}`, 'hex'))
  t.equal(await log.ending(), 'peer fin')
  t.same(log.proofs(), ['opportunity answer-client-hello', 'fired answer-client-hello'])
})

t.test('logjam-512', async (t) => {
  const met = await meet(t, 'logjam-512')
  t.equal(await shake(met, { maxVersion: 'TLSv1.2' }), 'refused')
  await met.log.ending()
  t.match(met.log.of('tls').at(-1), { state: 'failed', alert: 'handshake_failure' }, 'OpenSSL refuses the key')
})

t.test('every persona was met', async (t) => {
  t.same([...tried].sort(), [...all.keys()].sort())
})
