/**
 * What validators make of every fault: unbound with the settings of Debian (`modern`), unbound without QNAME
 * minimisation and aggressive NSEC (`classic`), and the embedded resolver, which is to say what `classic` says. Small
 * zones prove denials by accident: so each row also shows that the sound zone is fine, and that the fault has fired.
 */
import t from 'tap'
import type { PeerEvent } from '../events.ts'
import { Log } from '../testing/log.ts'
import { loadDnsFaults } from './faults.ts'
import { Internet } from './internet.ts'
import { decodeMessage, encodeMessage, queryFor } from './message.ts'
import { typeNumber } from './numbers.ts'
import { startDns } from './start.ts'
import { FIRST, originOf, RECORDS, ROWS, type Row, says } from './testing/fault-rows.ts'
import { inNamespace } from './testing/namespace.ts'
import { exchange } from './testing/stub.ts'
import { lacks, startUnbound, summary } from './testing/unbound.ts'
import { zone } from './zone.ts'

const inside = inNamespace(import.meta.url)
const skip = inside === true ? lacks('unbound', '-V') : inside

t.test('every fault has a row', async (t) => {
  const rows = new Set(ROWS.flatMap(({ fault, also }) => [fault.use, also?.use]))
  t.same(
    [...(await loadDnsFaults()).keys()].filter((id) => !rows.has(id)),
    [],
  )
})

t.test('validators say what the table says', { skip }, async (t) => {
  // The two are not the root's, which would answer for them.
  const build = (address: string, [first, second]: readonly [string, string], isFaulty: boolean) => {
    const servers = [
      { name: FIRST, address: first },
      { name: 'ns2.servers.test', address: second },
    ]
    const zones = ROWS.map((each, at) =>
      zone(originOf(each, at), RECORDS, {
        signing: each.signing,
        faults: isFaulty ? [each.fault, ...(each.also === undefined ? [] : [each.also])] : [],
        cell: String(at),
        ...(each.two ? { servers } : {}),
      }),
    )
    return Internet.create([...zones, zone('servers.test', [`ns1 A ${first}`, `ns2 A ${second}`])], {
      nameServer: { name: 'ns.test', address },
    })
  }
  const [faulty, sound] = [
    await build('127.0.0.1', ['127.0.0.21', '127.0.0.22'], true),
    await build('127.0.0.2', ['127.0.0.31', '127.0.0.32'], false),
  ]
  const log = new Log()
  const at = { address: '127.0.0.3', port: 53 }
  for (const [internet, resolver] of [
    [faulty, [at]],
    [sound, []],
  ] as const) {
    const dns = await startDns({ internet, resolver, authority: { port: 53 }, log: log.sink })
    t.teardown(() => dns.close())
  }
  const validators = await Promise.all([
    startUnbound(t, sound),
    startUnbound(t, faulty, 'classic'),
    startUnbound(t, faulty, 'modern'),
  ])
  const askOwn = async (name: string, type: string): Promise<string> => {
    const query = queryFor(name, typeNumber(type) ?? 0, { id: 1, rd: true, edns: { do: true } })
    const octets = await exchange(at, encodeMessage(query), 'tcp')
    return octets === undefined ? 'closed' : summary(decodeMessage(octets))
  }
  const askAll = async (each: Row, index: number): Promise<void> => {
    const [label = '', type = ''] = each.asks.split(' ')
    const origin = each.case ? originOf(each, index).toUpperCase() : originOf(each, index)
    const name = label === '@' ? origin : `${label}.${origin}`
    const [ofSound, classic, modern] = await Promise.all(validators.map((validator) => validator.says(name, type)))
    const embedded = await askOwn(name, type)
    const want = [each.sound, each.classic, each.modern ?? each.classic, each.classic]
    const got = [ofSound, classic, modern, embedded].map((text, at) => says(text ?? '', want[at] ?? ''))
    const what = `${each.asks} under ${JSON.stringify(each.fault)} and ${JSON.stringify(each.signing)}`
    const why = validators.flatMap(({ lines }) => lines.filter((line) => line.includes(origin.toLowerCase())))
    t.same(got, want, `sound, classic, modern, embedded: ${what}`, { why })
    // Which of two servers is asked first is the resolvers' own affair.
    if (each.two) return
    for (const { use } of [each.fault, ...(each.also === undefined ? [] : [each.also])]) {
      const isOwn = (event: PeerEvent) => event.type === 'fired' && event.behaviour === `dns:${use}`
      t.ok(
        log.events.some((event) => isOwn(event) && event.cell === String(index)),
        `${use} fired: ${what}`,
      )
    }
  }
  // A few at a time: unbound gives up on servers that seem slow to it.
  const queue = [...ROWS.entries()]
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await askAll(next[1], next[0])
  }
  await Promise.all([lane(), lane(), lane(), lane()])
})
