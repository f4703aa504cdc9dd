/** The engine against OpenSSL 3, as Node has it, without sockets: every suite that both have, and what a session can do. */
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { SecureVersion } from 'node:tls'
import t from 'tap'
import { readCertificate } from '../../certificates/presented.ts'
import { exchange, legacyServer, randomOctets, rsaCertificate, talk } from '../../testing/legacy.ts'
import { authority, certificate } from '../../testing/log.ts'
import { LegacyEngine } from './engine.ts'
import { passTls } from './layer.ts'
import type { LegacyTlsInput } from './options.ts'
import { VERSION_NUMBERS } from './protocol.ts'
import { keyTypeOf, SUITES } from './suites.ts'

const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2'] as const
/** OpenSSL 3 in Node is built without these. */
const MISSING = /RC4|DES|EXP|NULL-MD5/
const der = (pem: string): Buffer => new X509Certificate(pem).raw

const TEXT = `250-mx.badmx.test\r\n${'250-X\r\n'.repeat(40)}250 OK\r\n`

t.test('every suite that OpenSSL 3 has, at every version that has it', async (t) => {
  let tried = 0
  for (const suite of SUITES.filter(({ name }) => !MISSING.test(name))) {
    const own = keyTypeOf(suite) === 'ec' ? await certificate() : await rsaCertificate()
    for (const version of VERSIONS) {
      if (suite.tls12 && version !== 'TLSv1.2') continue
      const server = await legacyServer({ min: version, max: version, suites: [suite.name] }, { certificate: own })
      const session = await talk(server, { ciphers: `${suite.name}@SECLEVEL=0` }, [], `${suite.name} ${version}`)
      t.equal(session.error, undefined, `${suite.name} ${version}`)
      t.equal(session.client.getCipher().standardName, suite.standardName)
      t.match(session.conversation.of('up'), [{ version, cipher: suite.standardName, resumed: false }])
      t.strictSame(await exchange(session, TEXT), [TEXT, TEXT], `${suite.name} ${version}: data both ways`)
      session.client.destroy()
      tried += 1
    }
  }
  t.ok(tried > 60, `${tried} combinations`)
})

t.test('groups, and primes of Diffie-Hellman', async (t) => {
  for (const group of ['x25519', 'p256'] as const) {
    const server = await legacyServer({ groups: [group], suites: ['ECDHE-RSA-AES128-SHA'] })
    const { client, error } = await talk(server)
    t.equal(error, undefined, group)
    t.match(client.getEphemeralKeyInfo(), { type: 'ECDH', name: group === 'p256' ? 'prime256v1' : 'X25519' })
    client.destroy()
  }
  for (const dhBits of [512, 768, 1024, 2048] as const) {
    const server = await legacyServer({ dhBits, suites: ['DHE-RSA-AES128-SHA'] })
    const { client, error } = await talk(server, { minDHSize: 512 })
    if (dhBits < 1024)
      t.match(error, { code: 'ERR_SSL_DH_KEY_TOO_SMALL' }, `OpenSSL 3 takes no ${dhBits} bits at any level`)
    else t.match(client.getEphemeralKeyInfo(), { type: 'DH', size: dhBits })
    client.destroy()
  }
  const refused = await talk(await legacyServer({ dhBits: 1024, suites: ['DHE-RSA-AES128-SHA'] }), { minDHSize: 2048 })
  t.match(refused.error, { code: 'ERR_TLS_DH_PARAM_SIZE' })
})

t.test('the key log is the same on both sides', async (t) => {
  const lines: string[] = []
  const { conversation, client } = await talk(await legacyServer(), {}, [], 'keylog', (line) => lines.push(line))
  client.destroy()
  t.strictSame(
    lines,
    conversation.of('secret').map(({ line }) => line),
  )
})

t.test('nothing in common: an alert, with the reason', async (t) => {
  const { conversation, error } = await talk(await legacyServer({ suites: ['RC4-SHA', 'DES-CBC3-SHA'] }))
  t.match(conversation.of('failed'), [{ reason: /^no cipher suite in common, of \d+ that the server looked at$/ }])
  t.strictSame(conversation.of('end'), [{ type: 'end', how: 'fin' }])
  t.match(error, { code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE' })
  const old = await talk(await legacyServer({ min: 'SSLv3', max: 'TLSv1' }), { minVersion: 'TLSv1.2' })
  t.match(old.error, { code: 'ERR_SSL_UNSUPPORTED_PROTOCOL' }, 'the client refuses a ServerHello of TLS 1.0')
  const young = await talk(await legacyServer({ min: 'TLSv1.2' }), { maxVersion: 'TLSv1.1' })
  t.match(young.conversation.of('failed'), [{ reason: 'the client has TLSv1.1 at most, the server TLSv1.2 at least' }])
})

t.test('whose order of suites decides', async (t) => {
  const suites = ['AES256-SHA', 'AES128-SHA']
  const ciphers = 'AES128-SHA:AES256-SHA@SECLEVEL=0'
  for (const [order, chosen] of [
    ['server', 'AES256-SHA'],
    ['client', 'AES128-SHA'],
  ] as const) {
    const { client } = await talk(await legacyServer({ suites, order }), { ciphers })
    t.equal(client.getCipher().name, chosen)
    client.destroy()
  }
})

t.test('records of any size, messages cut and sharing records', async (t) => {
  const shapes: readonly LegacyTlsInput[] = [
    { content: 1 },
    { content: 7 },
    { packing: 'shared' },
    { packing: 'shared', content: 50 },
  ]
  for (const shape of shapes) {
    for (const [max, suite] of [
      ['TLSv1', 'AES128-SHA'],
      ['TLSv1.2', 'AES128-GCM-SHA256'],
    ] as const) {
      const session = await talk(await legacyServer({ ...shape, max, suites: [suite] }))
      t.equal(session.error, undefined, JSON.stringify(shape))
      t.strictSame(await exchange(session, TEXT), [TEXT, TEXT])
      session.client.destroy()
    }
  }
})

t.test('sessions resume by ticket and by id, or do not, as told', async (t) => {
  const again = async (options: LegacyTlsInput, resumes: boolean, what: string): Promise<void> => {
    const server = await legacyServer({ suites: ['AES128-SHA', 'AES256-SHA'], ...options })
    const first = await talk(server, {}, [], 'first')
    await exchange(first, TEXT)
    const session = first.client.getSession()
    first.client.destroy()
    const second = await talk(server, session === undefined ? {} : { session }, [], 'second')
    t.equal(second.error, undefined, what)
    t.match(second.conversation.of('up'), [{ resumed: resumes }], what)
    t.equal(second.client.isSessionReused(), resumes, what)
    t.equal(second.conversation.of('presented').length, resumes ? 0 : 1)
    t.strictSame(await exchange(second, TEXT), [TEXT, TEXT])
    second.client.destroy()
  }
  for (const max of VERSIONS) {
    await again({ max }, true, `ticket, ${max}`)
    await again({ max, tickets: 'none' }, true, `id, ${max}`)
    await again({ max, tickets: 'none', sessionIds: 'none' }, false, `no id issued, ${max}`)
    await again({ max, tickets: 'none', sessionIds: 'forget' }, false, `id forgotten, ${max}`)
    await again({ max, tickets: 'forget' }, false, `ticket of another process, ${max}`)
  }
})

t.test('secure renegotiation: the client begins, and the server refuses or follows', async (t) => {
  for (const max of VERSIONS) {
    const session = await talk(await legacyServer({ max }))
    t.strictSame(await exchange(session, TEXT), [TEXT, TEXT])
    await new Promise<void>((resolve, reject) => {
      session.client.renegotiate({ rejectUnauthorized: false }, (error) => (error === null ? resolve() : reject(error)))
    })
    t.equal(session.conversation.of('secret').length, 2, `a second handshake, ${max}`)
    t.equal(session.conversation.of('up').length, 1)
    t.strictSame(await exchange(session, TEXT), [TEXT, TEXT])
    session.client.destroy()
  }
  const refused = await talk(await legacyServer({ clientRenegotiation: 'refuse' }))
  const failure = once(refused.client, 'error')
  refused.client.renegotiate({ rejectUnauthorized: false }, () => {})
  t.match(await failure, [{ code: 'ERR_SSL_NO_RENEGOTIATION' }])
  t.equal(refused.conversation.of('secret').length, 1)
  const unsafe = await talk(await legacyServer({ secureRenegotiation: false }))
  t.match(unsafe.error, { code: 'ERR_SSL_UNSAFE_LEGACY_RENEGOTIATION_DISABLED' })
})

t.test('client certificates: asked for, proven, refused', async (t) => {
  const ec = await authority().clientChain('good')
  const rsa = await rsaCertificate()
  for (const max of VERSIONS) {
    for (const own of [ec, rsa]) {
      const server = await legacyServer({ max }, { clientCertificate: 'request' })
      const session = await talk(server, { cert: own.certPem, key: own.keyPem })
      t.equal(session.error, undefined, max)
      t.match(session.conversation.of('up'), [{ clientChain: own.chain }])
      t.strictSame(await exchange(session, TEXT), [TEXT, TEXT])
      session.client.destroy()
    }
    const names = authority()
      .namedAuthorities(300)
      .map((pem) => readCertificate(der(pem)).subject)
    const many = await talk(await legacyServer({ max }, { clientCertificate: 'request', authorities: names }))
    t.match(many.conversation.of('up'), [{ clientChain: [] }], 'a request that is longer than a record')
    many.client.destroy()
    const without = await talk(await legacyServer({ max }, { clientCertificate: 'request' }))
    t.match(without.conversation.of('up'), [{ clientChain: [] }])
    without.client.destroy()
    const required = await talk(await legacyServer({ max }, { clientCertificate: 'require' }))
    t.match(required.error, { code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE' })
    const mismatch = await talk(
      await legacyServer({ max }, { clientCertificate: 'request' }),
      { cert: rsa.certPem, key: rsa.keyPem },
      [
        {
          on: (event) => {
            if (event.type !== 'message' || event.name !== 'certificate-verify') return passTls(event)
            const bytes = Buffer.from(event.bytes)
            bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1
            return [{ ...event, bytes }]
          },
        },
      ],
    )
    t.match(mismatch.conversation.of('failed'), [{ reason: 'CertificateVerify: the signature is wrong' }])
  }
})

t.test('the end: close_notify both ways, an alert of the client, a client that leaves', async (t) => {
  const session = await talk(await legacyServer())
  await exchange(session, TEXT)
  const ended = once(session.client, 'end')
  session.conversation.perform(session.conversation.engine.close())
  await ended
  t.ok(session.client.readableEnded)
  const leaver = await talk(await legacyServer())
  leaver.client.end()
  await once(leaver.client, 'finish')
  t.equal(leaver.conversation.of('closed').length, 1, 'close_notify')
  const engine = new LegacyEngine(await legacyServer(), randomOctets('alert'), [])
  t.strictSame(engine.receive(Buffer.from('15030100020246', 'hex')), [
    { type: 'failed', reason: 'the client sent the alert protocol_version', alert: 'protocol_version' },
    { type: 'end', how: 'fin' },
  ])
  t.strictSame(engine.receive(Buffer.from('15030100020246', 'hex')), [], 'it is over')
})

t.test('the names of versions are those of Node', async (t) => {
  const known: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2']
  for (const name of known) t.ok(name in VERSION_NUMBERS)
})
