/** The relay before a resolver that is not ours; here it is ours, so that the test needs no program. */
import { createSocket } from 'node:dgram'
import t, { type Test } from 'tap'
import { Log } from '../testing/log.ts'
import { Internet } from './internet.ts'
import { openRelay } from './relay.ts'
import { openDnsPort } from './sockets.ts'
import { startDns } from './start.ts'
import { ask } from './testing/stub.ts'
import { zone } from './zone.ts'

const ANY = { address: '127.0.0.1', port: 0 }

/** A port that was free a moment ago, for both transports. */
async function freePort(): Promise<number> {
  const port = await openDnsPort(ANY, () => {})
  await port.close()
  return port.local.port
}

async function relayed(t: Test, drop = false) {
  const faults = drop ? [{ use: 'drop-queries' }] : []
  const internet = await Internet.create([zone('cell.test', ['mx A 198.18.0.25'], { cell: 'own', faults })])
  const dns = await startDns({ internet, resolver: [ANY], timeScale: drop ? 100 : 1 })
  t.teardown(() => dns.close())
  const [resolver = ANY] = dns.resolver
  const log = new Log()
  const at = { address: '127.0.0.1', port: await freePort() }
  const relay = await openRelay({ at, resolver, internet, log: log.sink, now: () => 7 })
  t.teardown(() => relay.close())
  return { at, log, relay, dns }
}

t.test('queries and answers pass as they are, and are in the log of their cell', async (t) => {
  const { at, log } = await relayed(t)
  for (const transport of ['udp', 'tcp'] as const) {
    const answer = await ask(at, 'mx.cell.test', 'A', { transport, edns: { do: true } })
    t.match(answer, { rcode: 'NOERROR', flag_ad: true, answers: [{ data: '198.18.0.25' }, { type: 'RRSIG' }] })
    const crossed = log.of('dns').filter((event) => event.transport === transport)
    t.match(crossed, [
      { at: 'stub', direction: 'in', cell: 'own', t: 7, local: at },
      { at: 'stub', direction: 'out', cell: 'own', ad: true, local: at },
    ])
  }
})

t.test('twenty at once get their own answers', async (t) => {
  const { at } = await relayed(t)
  const names = Array.from({ length: 20 }, (_, index) => `n${index}.cell.test`)
  const answers = await Promise.all(names.map((name) => ask(at, name, 'A')))
  t.same(
    answers.map((answer) => answer?.questions?.[0]?.name),
    names,
  )
})

t.test('SERVFAIL passes with its extended error', async (t) => {
  const { at, log } = await relayed(t, true)
  t.match(await ask(at, 'mx.cell.test', 'A', { edns: { do: true } }), { rcode: 'SERVFAIL' })
  t.same(log.of('dns').at(-1)?.ede, [22])
})

t.test('a resolver that is gone: silence over UDP, the end over TCP; closing ends what is waited for', async (t) => {
  const { at, dns, relay, log } = await relayed(t)
  await dns.close()
  t.equal(await ask(at, 'mx.cell.test', 'A', { transport: 'tcp' }), undefined)
  // One that takes queries and says nothing: the relay is closed with the query on its way.
  const silent = createSocket('udp4')
  await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise<void>((resolve) => silent.close(() => resolve())))
  const internet = await Internet.create()
  const there = { address: '127.0.0.1', port: await freePort() }
  const other = await openRelay({ at: there, resolver: silent.address(), internet, log: log.sink, now: () => 0 })
  const client = createSocket('udp4')
  t.teardown(() => new Promise<void>((resolve) => client.close(() => resolve())))
  const arrived = new Promise((resolve) => silent.once('message', resolve))
  client.send(Buffer.alloc(12), there.port, there.address)
  await arrived
  await Promise.all([other.close(), relay.close()])
  t.pass('nothing is left')
})
