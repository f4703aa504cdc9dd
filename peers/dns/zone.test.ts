import t from 'tap'
import { TYPE } from './numbers.ts'
import { fieldsOf } from './rdata.ts'
import { rdataText } from './rdata-text.ts'
import { record, recordFromLine, reverseZones, zone } from './zone.ts'

t.test('lines of a master file', async (t) => {
  const table: readonly [string, string, number, number, string][] = [
    ['@ MX 10 mx', 'badmx.test', TYPE.MX, 300, '10 mx.badmx.test.'],
    ['@ 60 IN MX 0 .', 'badmx.test', TYPE.MX, 60, '0 .'],
    ['mx IN A 198.18.0.25', 'mx.badmx.test', TYPE.A, 300, '198.18.0.25'],
    ['mx AAAA 2001:DB8:0:0:1:0:0:25', 'mx.badmx.test', TYPE.AAAA, 300, '2001:db8::1:0:0:25'],
    ['mx AAAA ::ffff:198.18.0.25', 'mx.badmx.test', TYPE.AAAA, 300, '::ffff:c612:19'],
    ['mx AAAA ::', 'mx.badmx.test', TYPE.AAAA, 300, '::'],
    ['www CNAME elsewhere.test.', 'www.badmx.test', TYPE.CNAME, 300, 'elsewhere.test.'],
    [
      '@ TXT "v=spf1 -all" plain "a\\"b\\\\c\\200"',
      'badmx.test',
      TYPE.TXT,
      300,
      '"v=spf1 -all" "plain" "a\\034b\\092c\\200"',
    ],
    ['_25._tcp.mx TLSA 3 1 1 00ff 10', '_25._tcp.mx.badmx.test', TYPE.TLSA, 300, '3 1 1 00ff10'],
    ['_25._tcp.mx TLSA 3 1 1', '_25._tcp.mx.badmx.test', TYPE.TLSA, 300, '3 1 1'],
    ['@ NSEC mx A MX TYPE1234', 'badmx.test', TYPE.NSEC, 300, 'mx.badmx.test. A MX TYPE1234'],
    [
      'x NSEC3 1 1 12 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr',
      'x.badmx.test',
      TYPE.NSEC3,
      300,
      '1 1 12 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr',
    ],
    [
      '@ RRSIG MX 13 2 300 20330518033320 20300317174640 7 @ AP8Q',
      'badmx.test',
      TYPE.RRSIG,
      300,
      'MX 13 2 300 20330518033320 20300317174640 7 badmx.test. AP8Q',
    ],
    ['@ TYPE65280 \\# 3 0a0b 0c', 'badmx.test', 65280, 300, '\\# 3 0a0b0c'],
  ]
  for (const [line, name, type, ttl, data] of table) {
    const read = recordFromLine(line, 'badmx.test')
    t.match(read, { name, type, ttl, class: 1 }, line)
    t.equal(rdataText(read.type, read.data), data, line)
  }
  t.equal(recordFromLine('mx A 198.18.0.25', '.').name, 'mx')
  t.equal(recordFromLine('mx A 198.18.0.25', 'test', 7).ttl, 7)
})

t.test('lines that are wrong say what and where', async (t) => {
  const table: readonly [string, RegExp][] = [
    ['@ MX ten mx', /"@ MX ten mx": MX: preference cannot be "ten"/],
    ['@ MX 65536 mx', /preference cannot be "65536"/],
    ['@ MX 10', /MX has no exchange/],
    ['@ MX 10 mx mx2', /MX has too much: "mx2"/],
    ['@ MX 10 mx..test', /empty label/],
    ['mx A 198.18.0.256', /"198.18.0.256" is no IPv4 address/],
    ['mx AAAA fe80::1%lo', /is no IPv6 address/],
    ['mx BADMX 1', /"BADMX" is no record type/],
    ['mx', /"" is no record type/],
    ['@ TXT "open', /quote is not closed/],
    [`@ TXT ${'x'.repeat(256)}`, /256 octets, want 255/],
    ['t TLSA 3 1 1 0g', /association cannot be "0g"/],
    ['t TLSA 3 1 1 0', /association cannot be "0"/],
    ['@ TYPE65280 1', /write its data as/],
    ['@ TYPE65280 \\# 2 00', /got 1 octets of hex, want 2/],
    ['@ NSEC mx A FOO', /types cannot be "A FOO"/],
    ['x NSEC3 1 0 0 - xyz', /next cannot be "xyz"/],
    ['@ RRSIG MX 13 2 300 2033 20300317174640 7 @ AP8Q', /expiration cannot be "2033"/],
  ]
  for (const [line, message] of table)
    t.throws(() => recordFromLine(line, 'badmx.test'), { code: 'zone', message }, line)
})

t.test('zones that are wrong', async (t) => {
  t.throws(() => zone('badmx.test', ['mx.other.test. A 198.18.0.1']), {
    code: 'zone',
    message: /outside the zone badmx.test/,
  })
  t.throws(() => zone('badmx.test', ['www CNAME mx', 'WWW A 198.18.0.1']), {
    message: /www.badmx.test has a CNAME and A/,
  })
  t.throws(() => zone('badmx.test', ['www CNAME mx', 'www CNAME mx2']), { message: /a CNAME and CNAME/ })
  t.throws(() => zone('badmx.test', [], { servers: [{ name: 'ns.test', address: 'ns' }] }), {
    message: /no IP address/,
  })
  t.throws(() => zone('bad..test', []), { code: 'zone' })
})

t.test('addresses of name servers are written in one way', async (t) => {
  const servers = [{ name: 'NS.test.', address: '2001:DB8:0:0::1', middlebox: '198.18.0.1' }]
  t.same(zone('badmx.test', [], { servers }).servers, [
    { name: 'NS.test', address: '2001:db8::1', middlebox: '198.18.0.1' },
  ])
})

t.test('a record from fields is the one from a line', async (t) => {
  const fields = { preference: 10, exchange: 'mx.badmx.test' }
  t.same(record('badmx.test', 'MX', fields), recordFromLine('@ MX 10 mx', 'badmx.test'))
  t.same(fieldsOf('MX', recordFromLine('@ MX 10 mx', 'badmx.test').data), fields)
  t.throws(() => record('badmx.test', 'MX', { preference: 70_000, exchange: 'mx' }), {
    message: /preference cannot be 70000/,
  })
})

t.test('reverse zones of the lab', async (t) => {
  const [low, high] = reverseZones([
    ['198.18.0.25', 'mx.badmx.test'],
    ['198.19.255.1', 'mx2.badmx.test.'],
  ])
  t.match(low?.records, [{ name: '25.0.18.198.in-addr.arpa', type: TYPE.PTR }])
  t.match(high?.records, [{ name: '1.255.19.198.in-addr.arpa', type: TYPE.PTR }])
  t.throws(() => reverseZones([['192.0.2.1', 'mx.badmx.test']]), { message: /outside 198.18.0.0\/15/ })
  t.throws(() => reverseZones([['::1', 'mx.badmx.test']]), { code: 'zone' })
})
