/**
 * Independent judges: what tools that examine servers say of the persona `exchange-2003`. They see what they would see in the
 * real one: SSL 3.0 and TLS 1.0, RC4 before 3DES, no secure renegotiation, and only the first 64 suites of their hellos.
 */
import t from 'tap'
import { type PeerOptions, peer } from '../../peer.ts'
import { loadPersonas } from '../../personas.ts'
import { rsaCertificate } from '../../testing/legacy.ts'
import { Log } from '../../testing/log.ts'
import { missing, run } from '../../testing/programs.ts'

async function exchange(
  t: { teardown(done: () => unknown): void },
  on: NonNullable<PeerOptions['tls']>['on'] = 'starttls',
): Promise<{ readonly port: string; readonly log: Log }> {
  const persona = (await loadPersonas()).get('exchange-2003')
  const { legacy } = persona?.tls ?? {}
  if (persona === undefined || legacy === undefined) throw new Error('exchange-2003 has no legacy engine')
  const log = new Log()
  const tls = { certificate: await rsaCertificate(), on, legacy }
  const mx = await peer(persona.stack, { log: log.sink, tls })
  t.teardown(() => mx.close())
  return { port: String(mx.port), log }
}

t.test('sslscan', { skip: missing('sslscan') ?? false, timeout: 60_000 }, async (t) => {
  const { port } = await exchange(t)
  const { stdout } = await run('sslscan', ['--starttls-smtp', '--no-colour', `127.0.0.1:${port}`])
  const protocols = [...stdout.matchAll(/^(SSLv[23]|TLSv1\.[0-3]) +(enabled|disabled)/gm)].map(
    ([, name, is]) => `${name} ${is}`,
  )
  t.strictSame(protocols, [
    'SSLv2 disabled',
    'SSLv3 enabled',
    'TLSv1.0 enabled',
    'TLSv1.1 disabled',
    'TLSv1.2 disabled',
    'TLSv1.3 disabled',
  ])
  t.match(stdout, 'Session renegotiation not supported')
  const suites = [...stdout.matchAll(/TLSv1\.0 +\d+ bits +(TLS_\w+)/g)].map(([, name]) => name)
  t.strictSame(suites, [
    'TLS_RSA_WITH_RC4_128_MD5',
    'TLS_RSA_WITH_RC4_128_SHA',
    'TLS_RSA_WITH_3DES_EDE_CBC_SHA',
    'TLS_RSA_WITH_DES_CBC_SHA',
    'TLS_RSA_EXPORT_WITH_RC4_40_MD5',
  ])
})

t.test('gnutls-cli-debug', { skip: missing('gnutls-cli-debug') ?? false, timeout: 60_000 }, async (t) => {
  const { port } = await exchange(t)
  const { stdout } = await run('gnutls-cli-debug', ['--starttls-proto=smtp', '--port', port, '127.0.0.1'])
  const answer = (question: string): string | undefined =>
    stdout
      .split('\n')
      .find((line) => line.includes(question))
      ?.split('... ')[1]
  const answers = {
    'TLS 1.0 (RFC2246) support': 'yes',
    'TLS 1.1 (RFC4346) support': 'no',
    'fallback from TLS 1.1 to': 'TLS 1.0',
    'TLS 1.2 (RFC5246) support': 'no',
    'safe renegotiation (RFC5746) support': 'no',
    'ext master secret (RFC7627) support': 'no',
    'RSA key exchange support': 'yes',
    'ephemeral Diffie-Hellman support': 'no',
    'AES-CBC cipher (RFC3268) support': 'no',
    '3DES-CBC cipher (RFC2246) support': 'yes',
    'ARCFOUR 128 cipher (RFC2246) support': 'yes',
    'MD5 MAC support': 'yes',
    'session resumption': 'yes',
  }
  for (const [question, want] of Object.entries(answers)) t.equal(answer(question), want, question)
})

t.test(
  'nmap, which keeps its hellos to 64 suites for servers like this',
  { skip: missing('nmap') ?? false, timeout: 60_000 },
  async (t) => {
    // On connect: nmap would first spend half a minute on finding out that this port is SMTP.
    const { port, log } = await exchange(t, 'connect')
    const { stdout } = await run('nmap', ['-Pn', '-p', port, '--script', '+ssl-enum-ciphers', '127.0.0.1'])
    t.strictSame(
      [...stdout.matchAll(/^\| +(SSLv3|TLSv1\.\d): $/gm)].map(([, name]) => name),
      ['SSLv3', 'TLSv1.0'],
    )
    for (const name of ['RC4_128_MD5', 'RC4_128_SHA', '3DES_EDE_CBC_SHA', 'DES_CBC_SHA'])
      t.match(stdout, `TLS_RSA_WITH_${name} (rsa 2048)`)
    t.match(stdout, 'TLS_RSA_EXPORT_WITH_RC4_40_MD5 (rsa 64)')
    t.match(stdout, 'cipher preference: server')
    const hellos = log.of('tls').flatMap((event) => (event.state === 'hello' ? [event.hello.cipherSuites.length] : []))
    t.equal(Math.max(...hellos), 64)
    t.notOk(log.proofs().includes('fired read-first-suites'))
  },
)

t.test('testssl.sh', { skip: missing('testssl') ?? false, timeout: 150_000 }, async (t) => {
  const { port, log } = await exchange(t)
  const how = ['--quiet', '--color', '0', '--warnings', 'off', '-t', 'smtp', '--ip', 'one', '-p', `127.0.0.1:${port}`]
  const { stdout } = await run('testssl', how, '', undefined, 120_000)
  const offered = [...stdout.matchAll(/^ (SSLv[23]|TLS 1(?:\.\d)?) +((?:not )?offered)/gm)].map(
    ([, name, is]) => `${name} ${is}`,
  )
  t.strictSame(offered, [
    'SSLv2 not offered',
    'SSLv3 offered',
    'TLS 1 offered',
    'TLS 1.1 not offered',
    'TLS 1.2 not offered',
    'TLS 1.3 not offered',
  ])
  t.match(
    stdout,
    'connection failed rather than downgrading to TLSv1.0',
    'its hello of TLS 1.2 has RC4 behind place 64',
  )
  t.ok(log.proofs().includes('fired read-first-suites'))
})
