/** The figures of the benchmarks: medians, ratios of pairs, goals. */
import t from 'tap'
import { pairedRatio, reaches, spread } from './statistics.ts'

t.test('a spread is the middle and the ends, whatever the order', async (t) => {
  t.strictSame(spread([9, 1, 4]), { median: 4, min: 1, max: 9 })
  t.strictSame(spread([10, 2]), { median: 6, min: 2, max: 10 })
  t.throws(() => spread([]), RangeError)
})

t.test('a ratio is taken within its round', async (t) => {
  // The third round was ten times slower for both: it changes nothing.
  t.strictSame(pairedRatio([2, 2, 20], [1, 1, 10]), { median: 2, min: 2, max: 2 })
  t.strictSame(pairedRatio([3, 5], [1, 0]), { median: 3, min: 3, max: 3 }, 'a round that measured nothing is left out')
  t.throws(() => pairedRatio([1], []), RangeError)
})

t.test('a goal is reached on its own side, limit included', async (t) => {
  t.ok(reaches(1.25, { atMost: 1.25 }))
  t.notOk(reaches(1.26, { atMost: 1.25 }))
  t.ok(reaches(0.9, { atLeast: 0.9 }))
  t.notOk(reaches(0.89, { atLeast: 0.9 }))
})
