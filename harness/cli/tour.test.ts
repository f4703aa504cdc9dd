/** The tour runs what its list names: a renamed scenario must not silently drop out of it. */
import t from 'tap'
import { allScenarios } from '../catalogue.ts'
import { belongsToTour, TELLING } from './tour.ts'

t.test('what the tour runs', async (t) => {
  const scenarios = await allScenarios()
  const names = scenarios.map(({ name }) => name)
  t.strictSame(
    TELLING.filter((name) => !names.includes(name)),
    [],
    'every name of the list is a scenario',
  )
  t.equal(new Set(TELLING).size, TELLING.length, 'and is there once')
  const of = (client: string): string[] =>
    scenarios.filter((scenario) => belongsToTour(scenario, client)).map(({ name }) => name)
  t.strictSame(of('curl').sort(), [...TELLING].sort(), 'a client of the machine sees the list')
  const builtIn = scenarios.filter((scenario) => belongsToTour(scenario, 'nodemailer'))
  t.ok(builtIn.length > TELLING.length, 'the built-in client sees more')
  t.strictSame([...new Set(builtIn.map(({ severity }) => severity))].sort(), ['critical', 'high'])
})
