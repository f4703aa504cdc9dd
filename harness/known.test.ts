import t from 'tap'
import { cell, record } from '../reports/test/sample-record.ts'
import { type KnownDeviation, markKnown } from '../scenarios/known.ts'
import { allScenarios } from './catalogue.ts'
import { knownClients } from './clients/index.ts'
import { knownDeviations } from './known.ts'

t.test('the shipped list speaks of clients and scenarios that there are, each cell of a version once', async (t) => {
  const shipped = await knownDeviations('shipped')
  const scenarios = new Set((await allScenarios()).map(({ name }) => name))
  const clients = new Set((await knownClients()).map(({ id }) => id))
  t.ok(shipped.length > 20)
  for (const each of shipped) {
    t.ok(clients.has(each.client.split('@')[0] ?? ''), each.client)
    t.ok(scenarios.has(each.cell.split('/').slice(0, 2).join('/')), each.cell)
  }
  const keys = shipped.flatMap((each) =>
    [each.version].flat().map((version) => `${each.client} ${version} ${each.cell}`),
  )
  t.equal(new Set(keys).size, keys.length)
})

t.test('a deviation concerns the cells, the releases and the versions that it names', async (t) => {
  const deviation = { client: 'postfix', cell: 'dos/*/may', verdict: 'fail', reason: 'bug 1' } as const
  const clients = [
    { id: 'postfix', name: 'Postfix', version: '3.7.11' },
    { id: 'postfix@trixie', name: 'Postfix', version: '3.10.13' },
  ]
  const cells = clients.map(({ id }) =>
    cell({ scenario: 'dos/dos-huge-line', policy: 'may', client: id, verdict: 'fail' }),
  )
  const known = (changes: Partial<KnownDeviation>): string[] =>
    markKnown(record(cells, { clients }), [{ ...deviation, ...changes }]).cells.flatMap((each) =>
      each.known === undefined ? [] : [each.client],
    )
  t.strictSame(known({}), ['postfix', 'postfix@trixie'], 'of any release')
  t.strictSame(known({ version: '3.7.11' }), ['postfix'])
  t.strictSame(known({ version: ['3.7.11', '3.10.13'] }), ['postfix', 'postfix@trixie'])
  t.strictSame(known({ version: '3.10' }), [], 'a version is the whole of it')
  t.strictSame(known({ client: 'postfix@trixie' }), ['postfix@trixie'])
  t.strictSame(known({ client: 'postfix@sid' }), [])
  t.strictSame(known({ client: 'post' }), [])
  t.strictSame(known({ cell: 'dos/*/encrypt' }), [])
  t.strictSame(known({ verdict: 'leak' }), [], 'another finding is none that is known')
})
