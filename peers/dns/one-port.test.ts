/**
 * Name servers and the resolver on one port, which is what `badmx serve --dns` has: unbound that forwards there, and delv,
 * still see every fault for themselves; recursive resolvers still find name servers.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { run } from '../testing/programs.ts'
import { Internet } from './internet.ts'
import { startDns } from './start.ts'
import { originOf, RECORDS, ROWS, type Row, says } from './testing/fault-rows.ts'
import { ask } from './testing/stub.ts'
import { lacks, startUnbound } from './testing/unbound.ts'
import { bindAnchorFile } from './trust-anchor.ts'
import { zone } from './zone.ts'

/** Any port of the only name server. */
const PLACE = { address: '127.0.0.1', port: 0 }

async function onePort(t: Parameters<typeof startUnbound>[0], zones: Parameters<typeof Internet.create>[0]) {
  const internet = await Internet.create(zones, { nameServer: { name: 'ns.test', address: PLACE.address } })
  const dns = await startDns({ internet, resolver: [], onePort: PLACE })
  t.teardown(() => dns.close())
  if (dns.onePort === undefined) throw new Error('nothing listens')
  return { internet, at: dns.onePort }
}

t.test('recursion desired is for the resolver, anything else for the name server of the nearest zone', async (t) => {
  const { at } = await onePort(t, [zone('sound.test', ['mx A 198.18.0.25'])])
  for (const transport of ['udp', 'tcp'] as const) {
    const [recursive, plain] = await Promise.all(
      [true, false].map((rd) => ask(at, 'mx.sound.test', 'A', { rd, transport, edns: { do: true } })),
    )
    t.match(recursive, { flag_ad: true, flag_ra: true, flag_aa: false, rcode: 'NOERROR' }, transport)
    t.match(plain, { flag_ad: false, flag_ra: false, flag_aa: true, rcode: 'NOERROR' }, transport)
  }
  // A DS is its parent's: the zone below would deny it.
  t.match((await ask(at, 'sound.test', 'DS', { rd: false }))?.answers, [{ type: 'DS', name: 'sound.test' }])
})

t.test(
  'unbound that forwards says of every fault what it says at name servers',
  { skip: lacks('unbound', '-V') },
  async (t) => {
    const rows = [...ROWS.entries()].filter(([, { two }]) => two === undefined)
    const zones = rows.map(([at, { fault, also, signing }]) =>
      zone(originOf(ROWS[at] as Row, at), RECORDS, { signing, faults: also === undefined ? [fault] : [fault, also] }),
    )
    const { internet, at } = await onePort(t, zones)
    const unbound = await startUnbound(t, internet, 'classic', at)
    const check = async ([index, each]: readonly [number, Row]): Promise<void> => {
      const [label = '', type = ''] = each.asks.split(' ')
      const origin = each.case ? originOf(each, index).toUpperCase() : originOf(each, index)
      const got = await unbound.says(label === '@' ? origin : `${label}.${origin}`, type)
      const why = unbound.lines.filter((line) => line.includes(origin.toLowerCase()))
      t.equal(says(got, each.classic), each.classic, `${each.asks} under ${JSON.stringify(each.fault)}`, { why })
    }
    const lane = async (): Promise<void> => {
      for (let next = rows.shift(); next !== undefined; next = rows.shift()) await check(next)
    }
    await Promise.all([lane(), lane(), lane(), lane()])
  },
)

t.test('delv validates through it', { skip: lacks('delv', '-v') }, async (t) => {
  const { internet, at } = await onePort(t, [
    zone('sound.test', RECORDS),
    zone('bad.test', RECORDS, { faults: [{ use: 'omit-denial' }] }),
  ])
  const anchor = join(t.testdir({}), 'anchor')
  writeFileSync(anchor, bindAnchorFile(internet))
  const delv = (name: string) =>
    run('delv', [`@${at.address}`, '-p', String(at.port), '-a', anchor, '+root=.', name, 'TLSA'])
  t.match((await delv('_25._tcp.mx.sound.test')).stdout, /^; fully validated/)
  t.match((await delv('mx.sound.test')).stdout, /^; negative response, fully validated/)
  const bad = await delv('mx.bad.test')
  t.match(bad.stdout + bad.stderr, /resolution failed: /)
})
