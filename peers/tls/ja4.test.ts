import t from 'tap'
import type { HelloSeen } from '../events.ts'
import { ja4 } from './ja4.ts'

/** The example of FoxIO's description: Chrome's hello, with values of RFC 8701 in every list. */
const CHROME: HelloSeen = {
  format: 'tls',
  recordVersion: 0x0301,
  legacyVersion: 0x0303,
  versions: [0x8a8a, 0x0304, 0x0303],
  cipherSuites: [
    ...[0x3a3a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030],
    ...[0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035],
  ],
  serverName: 'example.test',
  alpn: ['h2', 'http/1.1'],
  groups: [],
  signatureAlgorithms: [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601],
  extensions: [
    ...[0x1a1a, 0x0000, 0x0017, 0xff01, 0x000a, 0x000b, 0x0023, 0x0010, 0x0005],
    ...[0x000d, 0x0012, 0x0033, 0x002d, 0x002b, 0x001b, 0x4469, 0x0015, 0x2a2a],
  ],
}

t.test('the published example', async (t) => {
  t.equal(ja4(CHROME), 't13d1516h2_8daaf6152771_e5627efa2ab1')
})

t.test('order and made-up values do not matter, names and protocols do', async (t) => {
  const { serverName, ...unnamed } = CHROME
  t.equal(serverName, 'example.test')
  t.equal(ja4({ ...CHROME, cipherSuites: [...CHROME.cipherSuites].reverse() }), ja4(CHROME))
  t.match(ja4({ ...unnamed, extensions: CHROME.extensions.filter((type) => type !== 0) }), /^t13i1515h2_/)
  t.match(ja4({ ...CHROME, alpn: [] }), /^t13d151600_/)
  t.match(ja4({ ...CHROME, alpn: ['\u00ab\u0001\u00cd'] }), /^t13d1516ad_/)
})

t.test('a hello of SSL 3.0 has no extensions', async (t) => {
  const bare = { ...CHROME, versions: [0x0300], cipherSuites: [5], extensions: [], signatureAlgorithms: [], alpn: [] }
  t.match(ja4(bare), /^ts3i010000_[0-9a-f]{12}_000000000000$/)
})
