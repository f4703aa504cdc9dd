import t from 'tap'
import { aloneOf } from './alone.ts'
import { type PlanClient, type PlannedCell, plan } from './plan.ts'
import { POLICIES } from './policy.ts'
import { SAMPLE_CONTROLS, SAMPLE_HOST, sampleScenario } from './test/sample-scenario.ts'
import { zonesOf } from './zones.ts'

const CLIENT: PlanClient = {
  ...{ id: 'mta', kind: 'queue', namesPeers: true, passwords: true, exceptions: true },
  policies: Object.fromEntries(POLICIES.map((policy) => [policy, { options: '' }])) as PlanClient['policies'],
  documented: { policy: 'may', source: 'its manual' },
}

function cells(): readonly PlannedCell[] {
  const scenario = sampleScenario('mx-x', {
    hosts: { mx: SAMPLE_HOST, other: { ...SAMPLE_HOST, name: 'b.sub.{domain}' } },
    job: { steps: [{ submit: 1 }], password: true, recipientAt: 'to.{domain}', withoutDane: '{domain}' },
    expect: { dane: 'V', may: 'V' },
  })
  return plan({
    ...{ scenarios: [...SAMPLE_CONTROLS, scenario], clients: [CLIENT], reference: { ...CLIENT, id: 'reference' } },
    ...{ policies: ['may', 'dane'], only: ['mx-x'], seed: 1, timeScale: 1, repeat: 2 },
  }).cells
}

t.test('shares no name and no canary with the first try, nor with any other cell', async (t) => {
  const planned = cells()
  const everything = [...planned, ...planned.map((cell) => aloneOf(cell, 1))]
  for (const of of [
    (cell: PlannedCell) => [cell.domain],
    (cell: PlannedCell) => cell.canaries.map(({ value }) => value),
    (cell: PlannedCell) => Object.values(cell.hostNames),
  ]) {
    const all = everything.flatMap(of)
    t.equal(new Set(all).size, all.length)
  }
  for (const cell of everything.filter(({ alone }) => alone === true)) {
    for (const name of [cell.recipientDomain, ...Object.values(cell.hostNames)])
      t.ok(`.${name}`.endsWith(`.${cell.domain}`), name)
    t.ok([undefined, cell.domain].includes(cell.withoutDane))
  }
})

t.test('is the same cell otherwise', async (t) => {
  for (const cell of cells()) {
    const { alone, domain, recipientDomain, hostNames, canaries, withoutDane, ...rest } = aloneOf(cell, 1)
    t.equal(alone, true)
    t.match(cell, rest)
    t.strictSame(aloneOf(cell, 1), aloneOf(cell, 1), 'same seed, same world')
  }
})

t.test('its zones are no part of those of the first try', async (t) => {
  for (const cell of cells())
    for (const { domain } of [aloneOf(cell, 1)]) {
      const [zone] = zonesOf(cell.scenario.dns, domain, [], cell.id)
      t.ok(zone !== undefined)
      t.notOk(`.${domain}`.endsWith(`.${cell.domain}`))
      t.notOk(`.${cell.domain}`.endsWith(`.${domain}`))
    }
})

t.test('there is no third', async (t) => {
  for (const cell of cells()) t.throws(() => aloneOf(aloneOf(cell, 1), 1), /not the domain of a first try/)
})
