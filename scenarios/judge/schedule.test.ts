import t from 'tap'
import { fitOf, spell } from './schedule.ts'

const at = (...ages: number[]) => ages.map((ageSeconds) => ({ ageSeconds }))

t.test('the rule that the times of attempts follow', async (t) => {
  t.equal(fitOf(at(0)), undefined)
  t.equal(fitOf(at(0, 600, 1200, 1830)), '4 attempts at 0, 600, 1200, 1830 s: every 630 s')
  t.equal(
    fitOf(at(0, 300, 900, 2100, 4500, 8500, 12500)),
    '7 attempts at 0, 300, 900, 2100, 4500, 8500, 12500 s: intervals from 300 s to 4000 s, growing by a factor of 2.0',
  )
  t.equal(
    fitOf(at(0, 900, 1200)),
    '3 attempts at 0, 900, 1200 s: intervals from 300 s to 900 s',
    'no growth, no factor',
  )
  t.match(fitOf(at(0, 1, 2, 3, 4, 5, 6, 7, 8)), /^9 attempts at 0, 1, 2, 3, 4, 5, 6, 7, … s/)
})

t.test('attempts whose time is not exact are counted, and no rule is made of them', async (t) => {
  const coarse = [21_600, 43_200].map((ageSeconds) => ({ ageSeconds, coarseSeconds: 7_200 }))
  t.equal(
    fitOf([...at(0, 600, 1200), ...coarse]),
    '3 attempts at 0, 600, 1200 s: every 600 s; then 2 or more until 12 h (seen 2 h at a time)',
  )
  t.equal(fitOf([...at(0), ...coarse]), '1 attempt; then 2 or more until 12 h (seen 2 h at a time)')
})

t.test('seconds as a person says them', async (t) => {
  t.same([59.6, 4000, 14_400, 432_000].map(spell), ['60 s', '4000 s', '4 h', '5 d'])
})
