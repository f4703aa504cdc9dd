import t from 'tap'
import { fitOf, spell } from './schedule.ts'

t.test('the rule that the times of attempts follow', async (t) => {
  t.equal(fitOf([0]), undefined)
  t.equal(fitOf([0, 600, 1200, 1830]), '4 attempts at 0, 600, 1200, 1830 s: every 630 s')
  t.equal(
    fitOf([0, 300, 900, 2100, 4500, 8500, 12500]),
    '7 attempts at 0, 300, 900, 2100, 4500, 8500, 12500 s: intervals from 300 s to 4000 s, growing by a factor of 2.0',
  )
  t.equal(fitOf([0, 900, 1200]), '3 attempts at 0, 900, 1200 s: intervals from 300 s to 900 s', 'no growth, no factor')
  t.match(fitOf([0, 1, 2, 3, 4, 5, 6, 7, 8]), /^9 attempts at 0, 1, 2, 3, 4, 5, 6, 7, … s/)
})

t.test('seconds as a person says them', async (t) => {
  t.same([59.6, 4000, 14_400, 432_000].map(spell), ['60 s', '4000 s', '4 h', '5 d'])
})
