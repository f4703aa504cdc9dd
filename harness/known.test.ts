import t from 'tap'
import { allScenarios } from './catalogue.ts'
import { knownClients } from './clients/index.ts'
import { knownDeviations } from './known.ts'

t.test('the shipped list speaks of clients and scenarios that there are, each cell once', async (t) => {
  const shipped = await knownDeviations('shipped')
  const scenarios = new Set((await allScenarios()).map(({ name }) => name))
  const clients = new Set((await knownClients()).map(({ id }) => id))
  t.ok(shipped.length > 20)
  for (const { client, cell } of shipped) {
    // A release of a client is a client of its own: opensmtpd@trixie.
    t.ok(clients.has(client.split('@')[0] ?? ''), client)
    t.ok(scenarios.has(cell.split('/').slice(0, 2).join('/')), cell)
  }
  const keys = shipped.map(({ client, cell }) => `${client} ${cell}`)
  t.equal(new Set(keys).size, keys.length)
})
