import t from 'tap'
import { Internet } from './internet.ts'
import { TYPE } from './numbers.ts'
import { zone } from './zone.ts'

const BOXED = [{ name: 'ns.badmx.test', address: '198.18.0.9', middlebox: '198.18.0.10' }]

const soa = (internet: Internet, name: string, address?: string) =>
  internet.zoneFor({ name, type: TYPE.SOA }, address)?.apex

t.test('there is a root and a test, and the nearest zone answers', async (t) => {
  const internet = await Internet.create([zone('badmx.test', [])])
  t.same(
    internet.zones.map(({ apex }) => apex),
    ['.', 'test', 'badmx.test'],
  )
  t.equal(soa(internet, 'mx.BADMX.test'), 'badmx.test')
  t.equal(soa(internet, 'xbadmx.test'), 'test')
  t.equal(soa(internet, 'example.org'), '.')
  t.equal(internet.zoneFor({ name: 'badmx.test', type: TYPE.DS })?.apex, 'test')
  t.equal(internet.zoneFor({ name: '.', type: TYPE.DS })?.apex, '.')
})

t.test('delegations follow the zones, in whatever order they come', async (t) => {
  const names = ['a.b.badmx.test', 'badmx.test', 'b.badmx.test']
  for (const order of [names, [...names].reverse()]) {
    const internet = await Internet.create(order.map((name) => zone(name, [])))
    const below = (apex: string) =>
      internet
        .zoneFor({ name: apex, type: TYPE.SOA })
        ?.delegated()
        .map((child) => child.apex)
    t.same(
      [below('.'), below('test'), below('badmx.test'), below('b.badmx.test')],
      [['test'], ['badmx.test'], ['b.badmx.test'], ['a.b.badmx.test']],
    )
  }
})

t.test('a zone is replaced while it runs', async (t) => {
  const at = (address: string) => ({ servers: [{ name: 'ns.badmx.test', address }] })
  const internet = await Internet.create([
    zone('badmx.test', ['@ MX 10 mx'], at('198.18.0.9')),
    zone('sub.badmx.test', []),
  ])
  const seen: string[] = []
  const unwatch = internet.watch(({ apex }) => seen.push(apex))
  internet.put(zone('BADMX.test', ['@ MX 10 mx2'], at('198.18.0.10')))
  t.same(internet.addresses, ['198.18.0.1', '198.18.0.10'])
  t.equal(soa(internet, 'badmx.test', '198.18.0.9'), undefined)
  t.equal(soa(internet, 'badmx.test', '198.18.0.10'), 'badmx.test')
  t.match(internet.zoneFor({ name: 'badmx.test', type: TYPE.MX })?.delegated(), [{ apex: 'sub.badmx.test' }])
  t.equal(internet.zoneFor({ name: 'test', type: TYPE.SOA })?.delegated().length, 1)
  unwatch()
  internet.put(zone('other.test', []))
  t.same(seen, ['badmx.test'])
})

t.test('faults that cannot be put where they are', async (t) => {
  const internet = await Internet.create()
  const table: readonly [Parameters<typeof zone>[2], RegExp][] = [
    [
      { faults: [{ use: 'drop-query' }] },
      /^badmx.test: faults.0: there is no DNS fault "drop-query"; did you mean "drop-queries"\?$/,
    ],
    [{ faults: [{ use: 'answer-error', with: { rcode: 'NXDOMAIN' } }] }, /faults.0: answer-error: .*rcode/s],
    [{ faults: [{ use: 'drop-queries', with: { x: 1 } }] }, /faults.0: drop-queries: /],
    [
      { faults: [{ use: 'drop-queries' }, { use: 'drop-queries', types: ['TLSB'] }] },
      /faults.1: "TLSB" is no record type/,
    ],
    [{ faults: [{ use: 'drop-queries', servers: ['ns9.test'] }] }, /has no name server ns9.test/],
    [{ faults: [{ use: 'drop-queries', name: 'a..b' }] }, /^badmx.test: faults.0: the name .* empty label/],
    [{ faults: [{ use: 'drop-queries', at: 'middlebox' }] }, /has no name server with a middlebox/],
    [{ servers: BOXED, faults: [{ use: 'mismatch-ds', at: 'middlebox' }] }, /mismatch-ds is the parent's/],
    [
      { servers: BOXED, faults: [{ use: 'drop-queries', at: 'middlebox' }, { use: 'answer-error' }] },
      /one would hide the other's evidence/,
    ],
  ]
  for (const [options, message] of table) {
    t.throws(() => internet.put(zone('badmx.test', [], options)), { code: 'dns-fault', message })
    t.equal(internet.zones.length, 2, 'nothing has changed')
  }
})

t.test('a thousand zones are made in less than a second', async (t) => {
  const start = performance.now()
  const internet = await Internet.create(
    Array.from({ length: 1_000 }, (_, at) =>
      zone(`s${at}.may.badmx.test`, ['@ MX 10 mx', `mx A 198.18.${at >> 8}.${at & 255}`], { cell: `cell-${at}` }),
    ),
  )
  const took = performance.now() - start
  t.equal(internet.zones.length, 1_002)
  // An idle machine takes about 60 ms: what is to be found is quadratic work, not a busy machine.
  t.ok(took < 1_000, `${took} ms`)
})
