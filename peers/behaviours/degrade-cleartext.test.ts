import t from 'tap'
import { seeded } from '../random.ts'
import { behaviour } from './degrade-cleartext.ts'
import { command, layerOf, play, show } from './playbook.ts'

const MAIL = 'MAIL FROM:<a@b>'

/** For each of `count` connections with one MAIL in clear, whether it was refused. */
function refusals(parameters: object, count: number, seed: number): boolean[] {
  const memory = new Map<string, unknown>()
  return Array.from({ length: count }, (_, at) => {
    const layer = layerOf(behaviour, parameters, { memory, random: seeded(seed, 'visit', String(at)) })
    return layer.on(command(3, MAIL)).some(({ type }) => type === 'fired')
  })
}

t.test('refuses, and says by what chance', async (t) => {
  t.same(show(play(behaviour, { from: 1, text: 'later' }, [command(3, MAIL)])), [
    'opportunity MAIL 1 in clear, refused with probability 1.00',
    'fired answered MAIL in clear with 451',
    'reply 3 "451 later\\r\\n"',
  ])
})

t.test('the probability goes from one end to the other, over all connections', async (t) => {
  const rising = refusals({ from: 0, to: 1, over: 400 }, 500, 1)
  const share = (from: number, until: number): number =>
    rising.slice(from, until).filter((refused) => refused).length / (until - from)
  t.equal(rising[0], false, 'never at 0')
  t.ok(share(0, 100) < share(100, 200) && share(100, 200) < share(200, 300) && share(200, 300) < share(300, 400))
  t.equal(share(399, 500), 1, 'always from the end of the schedule on')
  t.same(refusals({ from: 1, to: 0, over: 2 }, 3, 1), [true, false, false], 'it may fall')
})

t.test('the mean number of tries is 1 / (1 - p)', async (t) => {
  const refused = refusals({ from: 0.75, to: 0.75 }, 4000, 2).filter((each) => each).length
  t.ok(Math.abs(4000 / (4000 - refused) - 4) < 0.3)
})

t.test('the same seed, the same refusals; another, others', async (t) => {
  const given = { from: 0.5, to: 0.5 }
  t.same(refusals(given, 50, 3), refusals(given, 50, 3))
  t.not(String(refusals(given, 50, 3)), String(refusals(given, 50, 4)))
})

t.test('leaves TLS and other commands alone', async (t) => {
  const others = [command(1, MAIL, true), command(2, 'RCPT TO:<a@b>')]
  t.same(play(behaviour, { from: 1 }, others), others)
})
