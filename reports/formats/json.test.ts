import t from 'tap'
import { HOSTILE_RECORD, SAMPLE } from '../test/sample-record.ts'
import { format } from './json.ts'

t.test('the record itself, its promised fields first', async (t) => {
  for (const record of [SAMPLE, HOSTILE_RECORD]) {
    const parsed = JSON.parse(format.render(record))
    t.strictSame(parsed, record)
    t.strictSame(Object.keys(parsed).slice(0, 6), ['schema', 'badmx', 'seed', 'startedAt', 'finishedAt', 'clients'])
    t.equal(Object.keys(parsed).at(-1), 'cells')
    t.strictSame(Object.keys(parsed.cells[0]).slice(0, 12), [
      ...['id', 'scenario', 'policy', 'client', 'verdict', 'reason', 'outcome', 'flags', 'attempts', 'proof'],
      ...['expected', 'clause'],
    ])
  }
})

t.test('it can stand in a script element', async (t) => {
  t.notMatch(format.render(HOSTILE_RECORD), '</script')
})
