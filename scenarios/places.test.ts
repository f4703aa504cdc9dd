import t from 'tap'
import { longestFirst, Places } from './places.ts'
import type { PlannedCell } from './plan.ts'
import { sampleScenario } from './test/sample-scenario.ts'

type Given = Partial<Pick<PlannedCell, 'id' | 'kind' | 'slow' | 'judgedAs' | 'scenario'>>

/** What the order goes by, and no more. */
function cell(given: Given): PlannedCell {
  const whole = {
    id: 'a',
    kind: 'queue',
    slow: false,
    judgedAs: 'may',
    scenario: sampleScenario('strip-omit'),
    ...given,
  }
  return whole as PlannedCell
}

t.test('what waits longest begins first', async (t) => {
  const quick = ['q1', 'q2', 'q3'].map((id) => cell({ id }))
  const strict = cell({ id: 'strict', slow: true, judgedAs: 'verify' })
  const loose = Array.from({ length: 20 }, (_, at) => cell({ id: `loose-${at}`, slow: true }))
  const order = longestFirst([...quick, strict, ...loose], 1).map(({ id }) => id)
  t.same(order.slice(0, 20).sort(), loose.map(({ id }) => id).sort(), 'first those that may wait twice')
  t.same(order.slice(20), ['strict', 'q1', 'q2', 'q3'], 'then who waits once; the others as they are')
  const again = longestFirst(loose, 1)
  t.same(longestFirst(loose, 1), again, 'the same order each time')
  t.notSame(longestFirst(loose, 2), again, 'another one with another seed')
  t.notSame(again, loose, 'not as the catalogue has them')
})

t.test('cells of one-shot clients that wait take no places from those that work', async (t) => {
  const places = new Places(4)
  const [waits, works] = [true, false].map((slow) => places.gateOf(cell({ kind: 'one-shot', slow })))
  t.not(waits, works)
  const one = new Places(1)
  const gates = [true, false].map((slow) => one.gateOf(cell({ kind: 'one-shot', slow })))
  t.equal(gates[0], gates[1], 'with one job all is one after the other')
})

t.test('cells of clients with a queue share one gate, but for those left to their own schedule', async (t) => {
  const places = new Places(1)
  t.equal(places.gateOf(cell({ slow: true })), places.gateOf(cell({})))
  const job = { steps: [{ submit: 1 }], password: false, horizonSeconds: 3600 }
  t.not(places.gateOf(cell({ scenario: sampleScenario('time-queue', { job }) })), places.gateOf(cell({})))
})
