import { X509Certificate } from 'node:crypto'
import { generate } from 'selfsigned'
import t from 'tap'
import { connectionText, tlsText } from './describe.ts'

const at = { t: 0, conn: 'c1', side: 'client' } as const
const HELLO = {
  format: 'tls',
  recordVersion: 0x0301,
  legacyVersion: 0x0303,
  alpn: [],
  groups: [],
  signatureAlgorithms: [],
  extensions: [],
} as const

t.test('TLS in one line', async (t) => {
  const hello = { ...HELLO, versions: [0x7a7a, 0x0304, 0x0303], cipherSuites: [1], serverName: 'mx.badmx.test' }
  for (const [event, want] of [
    [
      { type: 'tls', state: 'hello', hello, data: Buffer.alloc(0) },
      'ClientHello: TLS 1.3, TLS 1.2; SNI mx.badmx.test; 1 cipher suite; JA4 t13i010000_888b19a43b15_000000000000',
    ],
    [
      { type: 'tls', state: 'hello', hello: { ...hello, session: 'ticket' }, data: Buffer.alloc(0) },
      'ClientHello: TLS 1.3, TLS 1.2; SNI mx.badmx.test; 1 cipher suite; offers a session (ticket); JA4 t13i010000_888b19a43b15_000000000000',
    ],
    [
      { type: 'tls', state: 'hello', hello: { ...hello, pointFormats: [0] }, data: Buffer.alloc(0) },
      'ClientHello: TLS 1.3, TLS 1.2; SNI mx.badmx.test; 1 cipher suite; JA3 b552dda203b2ae05a15770dcb2ed16f8; JA4 t13i010000_888b19a43b15_000000000000',
    ],
    [
      {
        type: 'tls',
        state: 'hello',
        hello: { ...HELLO, format: 'none', versions: [], cipherSuites: [] },
        data: Buffer.alloc(0),
      },
      'sent what is no ClientHello',
    ],
    [{ type: 'tls', state: 'presented', chain: [] }, 'no certificate sent'],
    [
      { type: 'tls', state: 'presented', chain: [Buffer.from('garbage'), Buffer.alloc(3)] },
      'certificate sent: 7 octets that cannot be read, 1 more in the chain',
    ],
    [
      { type: 'tls', state: 'up', version: 'TLSv1.2', cipher: 'AES', resumed: true, clientChain: [] },
      'TLS up: TLSv1.2, AES, resumed',
    ],
    [{ type: 'tls', state: 'failed', reason: 'bad', alert: 'unknown_ca' }, 'TLS failed, alert unknown_ca: bad'],
    [
      { type: 'tls', state: 'closed', by: 'peer' },
      'TLS ended by the peer with close_notify; the connection stays, in clear',
    ],
  ] as const) {
    t.equal(tlsText({ ...at, ...event }), want)
  }
})

t.test('a certificate that can be read is told by subject, names and end', async (t) => {
  const notAfterDate = new Date('2031-02-03T04:05:06Z')
  const { cert } = await generate([{ name: 'commonName', value: 'mx.badmx.test' }], { keyType: 'ec', notAfterDate })
  const text = tlsText({ ...at, type: 'tls', state: 'presented', chain: [new X509Certificate(cert).raw] })
  t.match(text, /^certificate sent: CN=mx\.badmx\.test; .*; until Feb {2}3 04:05:06 2031 GMT$/)
})

t.test('connections in one line', async (t) => {
  const local = { address: '127.0.0.1', port: 25 }
  const open = {
    ...at,
    type: 'conn',
    state: 'open',
    host: 'mx',
    local,
    remote: local,
    tlsOnConnect: true,
    upstream: local,
  } as const
  t.equal(connectionText(open), 'connected to mx, 127.0.0.1:25, and on to 127.0.0.1:25, TLS on connect')
  t.equal(
    connectionText({ ...at, type: 'conn', state: 'closed', by: 'harness', how: 'deadline', detail: 'silent' }),
    'ended by the harness, deadline: silent',
  )
})
