import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { decode } from 'dns-packet'
import t, { type Test } from 'tap'
import type { DnsCrossed, ProofEvent, SocketAddress } from '../events.ts'
import { seeded } from '../random.ts'
import { Log } from '../testing/log.ts'
import { Internet } from './internet.ts'
import { decodeMessage } from './message.ts'
import { typeText } from './numbers.ts'
import { framed } from './sockets.ts'
import { type DnsOptions, startDns } from './start.ts'
import { ask, exchange, queryPacket } from './testing/stub.ts'
import { type Zone, zone } from './zone.ts'

const FREE: SocketAddress = { address: '127.0.0.1', port: 0 }
/** Name servers on loopback, so that they can be asked over sockets. */
const LOOPBACK = { servers: [{ name: 'ns.badmx.test', address: '127.0.0.1' }] }

async function start(t: Test, zones: readonly Zone[], options: Partial<DnsOptions> = {}) {
  const internet = await Internet.create(zones)
  const log = new Log()
  const dns = await startDns({ internet, resolver: [FREE], log: log.sink, timeScale: 20, ...options })
  t.teardown(() => dns.close())
  const [at] = dns.resolver
  if (at === undefined) throw new Error('no resolver')
  return { internet, log, dns, at }
}

/** `stub in mx.badmx.test A`, in order. */
function crossings(log: Log): string[] {
  return log.of('dns').map(({ at, direction, data, transport }: DnsCrossed) => {
    const [question] = decodeMessage(data).questions
    return `${at} ${direction} ${transport} ${question?.name} ${typeText(question?.type ?? 0)}`
  })
}

function proofs(log: Log): string[] {
  return log.events.flatMap((event) =>
    event.type === 'armed' || event.type === 'opportunity' || event.type === 'fired'
      ? [
          `${event.type} ${(event as ProofEvent).behaviour} ${(event as ProofEvent).host}: ${(event as ProofEvent).detail}`,
        ]
      : [],
  )
}

t.test('a stub asks over UDP and TCP, and the log has it', async (t) => {
  const { log, at } = await start(t, [zone('badmx.test', ['@ MX 10 mx', 'mx A 198.18.0.25'], { cell: 'a/b' })])
  const answer = await ask(at, 'BadMX.test', 'MX')
  t.match(answer, {
    id: 1,
    rcode: 'NOERROR',
    flag_qr: true,
    flag_rd: true,
    flag_ra: true,
    flag_aa: false,
    questions: [{ name: 'BadMX.test' }],
    answers: [{ name: 'BadMX.test', type: 'MX', ttl: 300, data: { preference: 10, exchange: 'mx.badmx.test' } }],
  } as object)
  t.match(await ask(at, 'mx.badmx.test', 'A', { transport: 'tcp' }), { answers: [{ data: '198.18.0.25' }] } as object)
  const seen = crossings(log)
  t.same(
    seen.filter((line) => line.startsWith('stub')),
    [
      'stub in udp BadMX.test MX',
      'stub out udp BadMX.test MX',
      'stub in tcp mx.badmx.test A',
      'stub out tcp mx.badmx.test A',
    ],
  )
  t.same(
    seen.slice(1, 5).map((line) => line.replace(/ udp .*/, '')),
    ['resolver out', 'authority in', 'authority out', 'resolver in'],
    'what the resolver asks is in the log at both ends',
  )
  const own = log.of('dns').filter(({ at }) => at === 'stub')
  t.ok(own.every(({ cell, t: time }) => cell === 'a/b' && time >= 0))
  t.match(own.at(-1), { local: at, ad: false, ede: [] })
})

t.test('aliases across zones, negative answers, foreign names', async (t) => {
  const { at } = await start(t, [
    zone('badmx.test', ['www CNAME mx.other.test.', 'loop CNAME loop.other.test.', 'lost CNAME nobody.other.test.']),
    zone('other.test', ['mx A 198.18.0.25', 'loop CNAME loop.badmx.test.']),
  ])
  const show = async (name: string, type: string) => {
    const answer = await ask(at, name, type, { edns: {} })
    const answers = answer?.answers?.map((each) => `${each.name} ${each.type}`)
    return [
      (answer as unknown as { rcode: string }).rcode,
      ...(answers ?? []),
      ...(answer?.authorities ?? []).map(({ type }) => type),
    ].join(' ')
  }
  t.equal(await show('www.badmx.test', 'A'), 'NOERROR www.badmx.test CNAME mx.other.test A')
  t.equal(await show('www.badmx.test', 'AAAA'), 'NOERROR www.badmx.test CNAME SOA')
  t.equal(await show('www.badmx.test', 'CNAME'), 'NOERROR www.badmx.test CNAME')
  t.equal(await show('lost.badmx.test', 'A'), 'NXDOMAIN lost.badmx.test CNAME SOA')
  t.equal(await show('loop.badmx.test', 'A'), 'SERVFAIL')
  t.equal(await show('example.org', 'A'), 'NXDOMAIN SOA')
})

t.test('a phase moves an MX', async (t) => {
  const { internet, at } = await start(t, [zone('badmx.test', ['@ MX 10 mx'])])
  const exchanges = async () =>
    (await ask(at, 'badmx.test', 'MX'))?.answers?.map((each) => (each as { data?: unknown }).data)
  t.same(await exchanges(), [{ preference: 10, exchange: 'mx.badmx.test' }])
  internet.put(zone('badmx.test', ['@ MX 10 elsewhere.test.']))
  t.same(await exchanges(), [{ preference: 10, exchange: 'elsewhere.test' }])
})

t.test('faults show through the resolver, and in the log', async (t) => {
  const TLSA = '_25._tcp.mx.badmx.test'
  const table: readonly [Zone['faults'], rcode: string, ede: number | undefined, fires: boolean][] = [
    [[{ use: 'drop-queries', types: ['TLSA'] }], 'SERVFAIL', 22, true],
    [[{ use: 'answer-error', types: ['TLSA'] }], 'SERVFAIL', 23, true],
    [[{ use: 'answer-error', name: '*._tcp.mx', with: { rcode: 'REFUSED' } }], 'SERVFAIL', 23, true],
    [[{ use: 'deny-existence', name: '_25._tcp.mx' }], 'NXDOMAIN', undefined, true],
    [[{ use: 'deny-existence', with: { as: 'NODATA', soa: false } }], 'NOERROR', undefined, true],
    [[{ use: 'truncate-answers' }], 'NOERROR', undefined, true],
    [[{ use: 'truncate-answers' }, { use: 'close-connection' }], 'SERVFAIL', 22, true],
    [[{ use: 'delay-answers', delayMs: 100 }], 'NOERROR', undefined, true],
    [[{ use: 'drop-queries', types: ['A'] }], 'NOERROR', undefined, false],
    [[{ use: 'drop-queries', name: 'mx' }], 'NOERROR', undefined, false],
    [[{ use: 'drop-queries', name: '*._25._tcp.mx' }], 'NOERROR', undefined, false],
    [[{ use: 'close-connection' }], 'NOERROR', undefined, false],
  ]
  for (const [faults, rcode, ede, fires] of table) {
    const records = ['_25._tcp.mx TLSA 3 1 1 00']
    const { log, at, dns } = await start(t, [zone('badmx.test', records, { faults, cell: 'c', signing: 'none' })])
    const octets = await exchange(at, queryPacket(TLSA, 'TLSA', { edns: { do: true } }))
    const what = faults.map(({ use }) => use).join(' ')
    t.equal((decode(octets ?? Buffer.alloc(0)) as unknown as { rcode: string }).rcode, rcode, what)
    t.same(log.of('dns').at(-1)?.ede, ede === undefined ? [] : [ede], what)
    const states = new Set(proofs(log).map((line) => line.split(' ')[0]))
    t.same([...states], fires ? ['armed', 'opportunity', 'fired'] : ['armed'], what)
    await dns.close()
  }
})

t.test('the proofs say which fault, and where', async (t) => {
  const faults = [{ use: 'answer-error', name: '_25._tcp.mx', types: ['TLSA'] }]
  const { log, at } = await start(t, [zone('badmx.test', ['_25._tcp.mx TLSA 3 1 1 00'], { faults, cell: 'c' })])
  await ask(at, '_25._tcp.mx.badmx.test', 'TLSA')
  t.same(proofs(log).slice(0, 3), [
    'armed dns:answer-error _25._tcp.mx: _25._tcp.mx of badmx.test, TLSA',
    'opportunity dns:answer-error _25._tcp.mx: _25._tcp.mx.badmx.test TLSA over UDP',
    'fired dns:answer-error _25._tcp.mx: answered SERVFAIL',
  ])
  t.ok(log.events.every((event) => event.type === 'dns' || event.cell === 'c'))
})

t.test('one name server of two is dead, or its answers do not hold: the other is asked', async (t) => {
  const servers = [
    { name: 'ns1.badmx.test', address: '198.18.0.11' },
    { name: 'ns2.badmx.test', address: '198.18.0.12' },
  ]
  for (const fault of [
    { use: 'drop-queries' },
    { use: 'misdate-signatures' },
    { use: 'strip-signatures', with: { proofs: true } },
    { use: 'omit-denial', with: { of: 'every' } },
  ]) {
    const faults = [{ ...fault, servers: ['ns1.badmx.test'] }]
    const { at, log, dns } = await start(t, [zone('badmx.test', ['mx A 198.18.0.25'], { servers, faults })])
    const asking = { edns: { do: true } }
    t.match(await ask(at, 'mx.badmx.test', 'A', asking), { flag_ad: true, rcode: 'NOERROR' } as object, fault.use)
    t.match(await ask(at, 'no.mx.badmx.test', 'A', asking), { flag_ad: true, rcode: 'NXDOMAIN' } as object, fault.use)
    t.ok(
      proofs(log).some((line) => line.startsWith('fired')),
      fault.use,
    )
    await dns.close()
  }
})

t.test('the name servers listen at their addresses; UDP is truncated, TCP is whole', async (t) => {
  const records = ['mx A 198.18.0.25', ...Array.from({ length: 30 }, (_, at) => `big TXT ${at}${'x'.repeat(60)}`)]
  const internet = await Internet.create([
    zone('.', [], LOOPBACK),
    zone('test', [], LOOPBACK),
    zone('badmx.test', records, LOOPBACK),
  ])
  const own = await startDns({ internet, resolver: [], authority: { port: 0 } })
  t.teardown(() => own.close())
  const [at] = own.authority
  if (at === undefined) throw new Error('no name server')
  t.match(await ask(at, 'mx.badmx.test', 'A'), {
    flag_aa: true,
    flag_ra: false,
    answers: [{ data: '198.18.0.25' }],
  } as object)
  for (const [edns, length] of [
    [undefined, 512],
    [{ udpSize: 100 }, 512],
    [{ udpSize: 4096 }, 1232],
  ] as const) {
    const octets = await exchange(at, queryPacket('big.badmx.test', 'TXT', edns === undefined ? {} : { edns }))
    t.ok((octets?.length ?? 0) <= length)
    t.match(decode(octets ?? Buffer.alloc(0)), { flag_tc: true, answers: [] } as object)
  }
  const whole = await ask(at, 'big.badmx.test', 'TXT', { transport: 'tcp' })
  t.match(whole, { flag_tc: false })
  t.equal(whole?.answers?.length, 30)
})

t.test('several addresses at once; a port that is taken; beyond loopback', async (t) => {
  const internet = await Internet.create()
  const both = [FREE, { address: '127.0.0.2', port: 0 }]
  const dns = await startDns({ internet, resolver: both })
  t.teardown(() => dns.close())
  for (const at of dns.resolver) t.match(await ask(at, 'ns.test', 'A'), { answers: [{ data: '198.18.0.1' }] } as object)
  const [first = FREE, second = FREE] = dns.resolver
  t.same([first.address, second.address], ['127.0.0.1', '127.0.0.2'])
  await t.rejects(startDns({ internet, resolver: [{ address: '127.0.0.3', port: 0 }, first] }), {
    code: 'port-in-use',
    message: /127.0.0.1 port \d+ is in use by another program/,
  })
  await t.rejects(startDns({ internet, resolver: [{ address: '203.0.113.2', port: 0 }] }), { code: 'not-loopback' })
  await t.rejects(startDns({ internet, resolver: [{ address: '203.0.113.2', port: 0 }], allowRemote: true }), {
    code: 'listen',
    message: /not an address of this machine/,
  })
})

t.test('pipelined TCP queries in one octet per segment', async (t) => {
  const { at } = await start(t, [zone('badmx.test', ['mx A 198.18.0.25'])])
  const socket = connect(at.port, at.address)
  t.teardown(() => socket.destroy())
  socket.setNoDelay(true)
  const queries = [1, 2, 3].map((id) => framed(queryPacket('mx.badmx.test', 'A', {}, id)))
  for (const octet of Buffer.concat(queries)) socket.write(Buffer.from([octet]))
  const ids: number[] = []
  let heard: Buffer = Buffer.alloc(0)
  for await (const chunk of socket) {
    heard = Buffer.concat([heard, chunk as Buffer])
    while (heard.length >= 2 && heard.length >= 2 + heard.readUInt16BE(0)) {
      ids.push(decode(heard.subarray(2)).id ?? 0)
      heard = heard.subarray(2 + heard.readUInt16BE(0))
    }
    if (ids.length === 3) break
  }
  t.same(ids.sort(), [1, 2, 3])
})

t.test('malformed queries get FORMERR or nothing, over UDP and TCP, and the next sound one its answer', async (t) => {
  const { at } = await start(t, [zone('badmx.test', ['mx A 198.18.0.25'])])
  const broken = Buffer.concat([queryPacket('mx.badmx.test', 'A'), Buffer.from([1])])
  const error = await exchange(at, broken)
  t.same(error, Buffer.from('000181010000000000000000', 'hex'))
  const random = seeded(1, 'queries')
  const udp = createSocket('udp4')
  t.teardown(() => udp.close())
  const tcp = connect(at.port, at.address)
  t.teardown(() => tcp.destroy())
  tcp.on('error', () => {})
  tcp.resume()
  const sound = queryPacket('mx.badmx.test', 'A', { edns: { do: true } })
  for (let round = 0; round < 1_000; round++) {
    const octets = Buffer.from(sound.subarray(0, Math.floor(random() * (sound.length + 1))))
    for (let changes = Math.floor(random() * 6); changes > 0 && octets.length > 0; changes--)
      octets[Math.floor(random() * octets.length)] = Math.floor(random() * 256)
    udp.send(octets, at.port, at.address)
    tcp.write(round % 3 === 0 ? octets : framed(octets))
    if (round % 50 === 0) t.match(await ask(at, 'mx.badmx.test', 'A'), { answers: [{ data: '198.18.0.25' }] } as object)
  }
})

t.test('closing ends what is still waited for', async (t) => {
  const { dns, at, log } = await start(t, [zone('badmx.test', [], { faults: [{ use: 'drop-queries' }] })], {
    timeScale: 0.001,
  })
  const udp = createSocket('udp4')
  t.teardown(() => udp.close())
  udp.send(queryPacket('mx.badmx.test', 'A'), at.port, at.address)
  const tcp = connect(at.port, at.address)
  tcp.write(framed(queryPacket('mx.badmx.test', 'A')))
  await log.when(() => proofs(log).filter((line) => line.startsWith('fired')).length === 2)
  const ended = once(tcp, 'close')
  await dns.close()
  await ended
  const count = log.events.length
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(log.events.length, count, 'nothing is said after the end')
})
