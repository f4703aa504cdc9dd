import t from 'tap'
import { Internet } from './internet.ts'
import { zone } from './zone.ts'
import { zoneFromData, zoneSchema } from './zone-data.ts'

t.test('what a file says becomes the zone', async (t) => {
  const fault = {
    use: 'drop-queries',
    name: '_25._tcp.mx',
    types: ['TLSA'],
    at: 'middlebox',
    delayMs: 5,
    fires: 'must',
  }
  const data = zoneSchema.parse({
    origin: 'badmx.test',
    records: ['@ MX 10 mx'],
    ttl: 5,
    signing: { nsec3: { salt: 'aabb', optOut: true }, ds: false },
    servers: [{ name: 'ns.badmx.test', address: '198.18.0.9', middlebox: '198.18.0.10' }],
    faults: [fault],
  })
  const made = zoneFromData(data, 'cell')
  t.match(made, { origin: 'badmx.test', ttl: 5, cell: 'cell', faults: [fault], records: [{ ttl: 5 }] })
  const internet = await Internet.create([made])
  t.same(internet.addresses, ['198.18.0.1', '198.18.0.9', '198.18.0.10'])
})

t.test('what it leaves out is as if written by hand', async (t) => {
  t.same(zoneFromData(zoneSchema.parse({ origin: 'badmx.test' })), zone('badmx.test', []))
})

t.test('what is wrong is refused', async (t) => {
  for (const wrong of [
    {},
    { origin: 'badmx.test', record: [] },
    { origin: 'badmx.test', ttl: -1 },
    { origin: 'badmx.test', signing: { algorithm: 'DSA' } },
    { origin: 'badmx.test', signing: { nsec3: { salt: 'abc' } } },
    { origin: 'badmx.test', faults: [{ with: {} }] },
    { origin: 'badmx.test', faults: [{ use: 'drop-queries', at: 'client' }] },
  ])
    t.equal(zoneSchema.safeParse(wrong).success, false, JSON.stringify(wrong))
})
