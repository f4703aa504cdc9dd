import t from 'tap'
import { DANE_CASES } from './dane-cases.ts'
import { loadCatalogue } from './load.ts'
import { loadWaiting } from './waiting.ts'

t.test('every case of a DANE sender is covered, or waits with a reason', async (t) => {
  const { scenarios } = await loadCatalogue()
  const { waiting } = await loadWaiting()
  t.equal(DANE_CASES.length, 72)
  const none = DANE_CASES.flatMap((title, index) => {
    const isCase = ({ cases }: { readonly cases: readonly number[] }): boolean => cases.includes(index + 1)
    return scenarios.some(isCase) || waiting.some(isCase) ? [] : [`${index + 1}: ${title}`]
  })
  t.same(none, [])
  const idle = scenarios.filter(({ cases, expect }) => cases.length > 0 && expect.dane === undefined)
  t.same(
    idle.map(({ name }) => name),
    [],
    'what has a case is expected of clients with DANE',
  )
})
