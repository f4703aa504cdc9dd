import t from 'tap'
import { waitLimit, wholeLimit } from './environment.ts'
import { makeDelivery } from './testing/peer.ts'

t.test('a limit that the scale makes short still leaves a busy machine its time', async (t) => {
  const delivery = await makeDelivery(t, 25, { timeScale: 100, deadlineMs: 10_000 })
  t.ok(waitLimit(delivery, 30_000) >= 2_500, 'thirty seconds are more than the noise of a machine')
  t.ok(waitLimit(delivery, 30_000) < waitLimit(delivery, 120_000), 'a shorter limit stays the shorter one')
})

t.test('a client ends by itself, before the deadline, whatever its own limits', async (t) => {
  const delivery = await makeDelivery(t, 25, { timeScale: 100, deadlineMs: 10_000 })
  t.equal(waitLimit(delivery, 600_000), 4_000)
  t.equal(waitLimit(delivery), 4_000)
  t.equal(wholeLimit(delivery, 3_600_000), 8_000)
})

t.test('at a small scale a limit is all but the one of the client', async (t) => {
  const delivery = await makeDelivery(t, 25, { timeScale: 1, deadlineMs: 604_000 })
  t.equal(waitLimit(delivery, 30_000), 32_500)
})
