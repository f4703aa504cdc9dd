import t from 'tap'
import { seeded, word } from './random.ts'

const take = (random: () => number, count: number) => Array.from({ length: count }, random)

t.test('the same seed and labels give the same stream', async (t) => {
  t.same(take(seeded(7, 'mx', 'flap'), 20), take(seeded(7, 'mx', 'flap'), 20))
})

t.test('another seed, another label or another split gives another stream', async (t) => {
  const first = take(seeded(7, 'ab', 'c'), 4)
  for (const other of [seeded(8, 'ab', 'c'), seeded(7, 'ab', 'd'), seeded(7, 'a', 'bc'), seeded(7, 'ab,c')])
    t.notSame(take(other, 4), first)
})

t.test('the generator is xoshiro128**: its first outputs for the state that SHA-256 of [1] gives', async (t) => {
  const random = seeded(1)
  t.same(
    take(random, 3).map((value) => value * 2 ** 32),
    KNOWN,
  )
})

t.test('numbers stay in [0, 1) and fill it', async (t) => {
  const random = seeded(42)
  const buckets = new Array<number>(10).fill(0)
  for (let n = 0; n < 10_000; n += 1) {
    const value = random()
    if (value < 0 || value >= 1) t.fail(`out of range: ${value}`)
    const bucket = Math.floor(value * 10)
    buckets[bucket] = (buckets[bucket] ?? 0) + 1
  }
  for (const count of buckets) t.ok(count > 850 && count < 1150, `${count} of 10000 in a tenth`)
})

t.test('words are of the length asked for and of [a-z0-9]', async (t) => {
  t.match(word(seeded(3), 24), /^[a-z0-9]{24}$/)
})

/** Computed apart, with integers of arbitrary length, from the published algorithm. */
const KNOWN = [3933996968, 1015381428, 1594373678]
