import { decode, encode, type Packet, type RecordType } from 'dns-packet'
import t from 'tap'
import { seeded } from '../random.ts'
import {
  decodeMessage,
  encodeMessage,
  extendedError,
  extendedErrors,
  type Message,
  queryFor,
  type ResourceRecord,
  responseTo,
} from './message.ts'
import { EDE, RCODE, TYPE } from './numbers.ts'
import { fieldsOf } from './rdata.ts'
import { record, recordFromLine } from './zone.ts'

const OCTETS = Buffer.from('00ff10203040', 'hex')

/** One record of every type, with what dns-packet makes of its data. */
const EVERY_TYPE: readonly [ResourceRecord, unknown][] = [
  [record('mx.test', 'A', { address: '198.18.0.1' }), '198.18.0.1'],
  [record('mx.test', 'AAAA', { address: '2001:db8::25' }), '2001:db8::25'],
  [record('test', 'NS', { host: 'ns.test' }), 'ns.test'],
  [record('www.test', 'CNAME', { target: 'mx.test' }), 'mx.test'],
  [record('old.test', 'DNAME', { target: 'new.test' }), 'new.test'],
  [
    record('test', 'SOA', {
      primary: 'ns.test',
      mailbox: 'hostmaster.test',
      serial: 4_294_967_295,
      refresh: 1,
      retry: 2,
      expire: 3,
      minimum: 4,
    }),
    { mname: 'ns.test', rname: 'hostmaster.test', serial: 4_294_967_295, refresh: 1, retry: 2, expire: 3, minimum: 4 },
  ],
  [record('1.0.18.198.in-addr.arpa', 'PTR', { target: 'mx.test' }), 'mx.test'],
  [record('test', 'MX', { preference: 10, exchange: 'mx.test' }), { preference: 10, exchange: 'mx.test' }],
  [record('test', 'MX', { preference: 0, exchange: '.' }), { preference: 0, exchange: '.' }],
  [record('test', 'TXT', { strings: ['v=spf1 -all', ''] }), [Buffer.from('v=spf1 -all'), Buffer.from('')]],
  [
    record('_smtp._tcp.test', 'SRV', { priority: 1, weight: 2, port: 25, target: 'mx.test' }),
    { priority: 1, weight: 2, port: 25, target: 'mx.test' },
  ],
  [
    record('_25._tcp.mx.test', 'TLSA', { usage: 3, selector: 1, matchingType: 1, association: OCTETS }),
    { usage: 3, selector: 1, matchingType: 1, certificate: OCTETS },
  ],
  [
    record('test', 'DS', { keyTag: 12345, algorithm: 13, digestType: 2, digest: OCTETS }),
    { keyTag: 12345, algorithm: 13, digestType: 2, digest: OCTETS },
  ],
  [
    record('test', 'DNSKEY', { flags: 257, protocol: 3, algorithm: 13, key: OCTETS }),
    { flags: 257, algorithm: 13, key: OCTETS },
  ],
  [
    record('test', 'RRSIG', {
      typeCovered: TYPE.MX,
      algorithm: 13,
      labels: 1,
      originalTtl: 300,
      expiration: 2_000_000_000,
      inception: 1_900_000_000,
      keyTag: 7,
      signer: 'test',
      signature: OCTETS,
    }),
    {
      typeCovered: 'MX',
      algorithm: 13,
      labels: 1,
      originalTTL: 300,
      expiration: 2_000_000_000,
      inception: 1_900_000_000,
      keyTag: 7,
      signersName: 'test',
      signature: OCTETS,
    },
  ],
  [
    record('test', 'NSEC', { next: 'a.test', types: [TYPE.A, TYPE.MX, TYPE.RRSIG, TYPE.NSEC, 1234] }),
    { nextDomain: 'a.test', rrtypes: ['A', 'MX', 'RRSIG', 'NSEC', 'UNKNOWN_1234'] },
  ],
  [
    record('0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.test', 'NSEC3', {
      algorithm: 1,
      flags: 1,
      iterations: 12,
      salt: Buffer.from('aabb', 'hex'),
      next: OCTETS,
      types: [TYPE.NS],
    }),
    { algorithm: 1, flags: 1, iterations: 12, salt: Buffer.from('aabb', 'hex'), nextDomain: OCTETS, rrtypes: ['NS'] },
  ],
]

function response(answers: readonly ResourceRecord[]): Message {
  return { ...responseTo(queryFor('test', TYPE.ANY, { id: 99, rd: true, edns: { do: true } }), RCODE.NOERROR), answers }
}

t.test('an independent reader sees what was written, type by type', async (t) => {
  for (const [each, data] of EVERY_TYPE) {
    const [answer] = decode(encodeMessage(response([each]))).answers ?? []
    t.match(answer, { name: each.name, ttl: 300, class: 'IN', data } as object, `${each.name} ${each.type}`)
  }
})

t.test('an independent writer is read, type by type', async (t) => {
  for (const [each] of EVERY_TYPE) {
    const theirs = decode(encodeMessage(response([each])))
    const ours = decodeMessage(encode({ ...theirs, id: 99 } as unknown as Packet))
    t.same(ours.answers, [each], `type ${each.type}`)
  }
})

t.test('all in one message: compressed, and read back to the same', async (t) => {
  const message = response(EVERY_TYPE.map(([each]) => each))
  const octets = encodeMessage(message)
  const longhand = message.answers.reduce((sum, { name, data }) => sum + name.length + 2 + 10 + data.length, 0)
  t.ok(octets.length < longhand, 'shorter than without compression')
  t.same(decodeMessage(octets), message)
  t.same(decode(octets).answers?.length, EVERY_TYPE.length)
})

t.test('NSEC3PARAM and unknown types, which dns-packet does not know, round trip', async (t) => {
  const salt = Buffer.from('aabb', 'hex')
  const answers = [
    record('test', 'NSEC3PARAM', { algorithm: 1, flags: 0, iterations: 0, salt }),
    recordFromLine('@ TYPE65280 \\# 3 c00c00', 'test'),
  ]
  t.same(decodeMessage(encodeMessage(response(answers))).answers, answers)
  t.same(fieldsOf('NSEC3PARAM', answers[0]?.data ?? OCTETS), { algorithm: 1, flags: 0, iterations: 0, salt })
})

t.test('names in data are compressed only where RFC 1035 lets them, and keep their case', async (t) => {
  const table: readonly [ResourceRecord, number][] = [
    [record('badmx.test', 'MX', { preference: 1, exchange: 'mx.badmx.test' }), 2 + 3 + 2],
    [record('badmx.test', 'SRV', { priority: 1, weight: 1, port: 1, target: 'mx.badmx.test' }), 6 + 15],
    [record('badmx.test', 'MX', { preference: 1, exchange: 'mx.BADMX.test' }), 2 + 3 + 6 + 2],
  ]
  for (const [each, length] of table) {
    const query = { ...queryFor('badmx.test', TYPE.MX), qr: true, answers: [each] }
    const octets = encodeMessage(query)
    t.equal(octets.length, 12 + 16 + 2 + 10 + length)
    t.same(decodeMessage(octets), query)
  }
})

t.test('flags, codes and EDNS', async (t) => {
  for (const flag of ['aa', 'tc', 'rd', 'ra', 'ad', 'cd', 'qr'] as const) {
    const octets = encodeMessage({ ...queryFor('test', TYPE.A), [flag]: true })
    t.equal(decodeMessage(octets)[flag], true, flag)
    t.equal(encodeMessage(queryFor('test', TYPE.A)).readUInt16BE(2), 0)
    if (flag !== 'qr') t.equal(decode(octets)[`flag_${flag}`], true, `dns-packet sees ${flag}`)
  }
  const query = queryFor('test', TYPE.A, { edns: { udpSize: 4096, do: true } })
  const bad = { ...responseTo(query, RCODE.BADVERS) }
  const edns = { version: 0, udpSize: 1232, do: true, options: [extendedError(EDE.DNSSEC_BOGUS, 'no proof')] }
  const octets = encodeMessage({ ...bad, edns })
  t.same(decodeMessage(octets), { ...bad, edns })
  t.same(extendedErrors(decodeMessage(octets)), [EDE.DNSSEC_BOGUS])
  t.match(decode(octets).additionals?.[0], {
    type: 'OPT' as RecordType,
    udpPayloadSize: 1232,
    extendedRcode: 1,
    flag_do: true,
    options: [{ code: 15, data: Buffer.concat([Buffer.from([0, 6]), Buffer.from('no proof')]) }],
  } as object)
})

t.test('what does not fit is left away: first the additional records, then all with TC', async (t) => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, at) => record(`mx${at}.test`, 'A', { address: `198.18.0.${at}` }))
  const message = { ...response(many(20)), additionals: many(20) }
  t.ok(encodeMessage(message).length > 600)
  const lean = decodeMessage(encodeMessage(message, 512))
  t.match(lean, { tc: false, additionals: [] })
  t.equal(lean.answers.length, 20)
  const cut = decodeMessage(encodeMessage({ ...message, answers: many(50) }, 512))
  t.match(cut, { tc: true, answers: [], authorities: [], additionals: [], questions: message.questions })
  t.same(cut.edns, message.edns, 'EDNS stays (RFC 6891 §7)')
})

t.test('a name behind the reach of pointers is written whole', async (t) => {
  const long = 'x'.repeat(250)
  const strings = { strings: Array.from({ length: 70 }, () => long) }
  const answers = [
    record('a.test', 'TXT', strings),
    record('b.test', 'TXT', { strings: ['y'] }),
    record('b.test', 'TXT', { strings: ['z'] }),
  ]
  t.same(decodeMessage(encodeMessage(response(answers))).answers, answers)
})

t.test('octets that are no message', async (t) => {
  const sound = encodeMessage(response(EVERY_TYPE.map(([each]) => each)))
  for (let length = 0; length < sound.length; length++)
    t.throws(() => decodeMessage(sound.subarray(0, length)), { code: 'dns-format' })
  t.throws(() => decodeMessage(Buffer.concat([sound, Buffer.from([0])])), { code: 'dns-format', message: /behind/ })
  const two = Buffer.from(encodeMessage(queryFor('test', TYPE.A, { edns: {} })))
  two.writeUInt16BE(2, 10)
  t.throws(() => decodeMessage(Buffer.concat([two, two.subarray(-11)])), { message: 'more than one OPT record' })
})

t.test('random octets are a message or an error, and never take long', async (t) => {
  const random = seeded(1, 'messages')
  const sound = encodeMessage(response(EVERY_TYPE.map(([each]) => each)))
  let read = 0
  for (let round = 0; round < 10_000; round++) {
    const octets = Buffer.from(sound)
    for (let changes = 1 + Math.floor(random() * 8); changes > 0; changes--)
      octets[Math.floor(random() * octets.length)] = Math.floor(random() * 256)
    try {
      // What can be read can be written, and then read to the same.
      const message = decodeMessage(octets)
      const again = decodeMessage(encodeMessage(message))
      if (encodeMessage(again).equals(encodeMessage(message))) read++
      else t.fail(`not the same: ${octets.toString('hex')}`)
    } catch (error) {
      if ((error as { code?: string }).code !== 'dns-format') throw error
    }
  }
  t.ok(read > 100, `${read} could be read`)
})
