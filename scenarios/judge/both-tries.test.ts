import t from 'tap'
import type { CellBegun, LogEvent, RunBegun } from '../events.ts'
import type { CellRecord } from '../record.ts'
import { judge } from './judge.ts'
import { CANARIES, LogBuilder } from './log-builder.ts'

const OTHERS = 'the MTA ended by itself with 7 cells in hand'

/** A try of one cell under `encrypt`, with a queue, that expects a deferral in the second place. */
const begin = (given: Partial<CellBegun> = {}): LogBuilder =>
  new LogBuilder({ judgedAs: 'encrypt', expected: 'D', kind: 'queue', ...given })

/** It has canaries of its own. */
const again = (given: Partial<CellBegun> = {}): LogBuilder =>
  begin({
    alone: true,
    canaries: Object.entries(CANARIES).map(([name, value]) => ({ name, value: value.replace('canary', 'second') })),
    ...given,
  })

const deferred = (log: LogBuilder): LogBuilder => {
  log.attempt().conn().greet().quit()
  log.says('queued').attempt(2, 'aged').conn('c2').greet().quit()
  return log.says('queued', {}, 2).done()
}

const crashed = (log: LogBuilder): LogBuilder => {
  log.attempt().conn().greet().close('client', 'rst')
  return log.says('crashed').done()
}

const spoilt = (log: LogBuilder): LogBuilder => {
  log.attempt().conn().greet().close('client', 'rst')
  return log.done('spoilt', OTHERS)
}

/** One that delivers in clear, and has no word. */
const leaks = (log: LogBuilder): LogBuilder => {
  log.attempt().conn().greet().deliver().close('client', 'rst')
  return log.done('spoilt', OTHERS)
}

const run = (cell: string): RunBegun => ({
  ...{ type: 'run', t: 0, schema: 'badmx/events/1', badmx: '0.1.0', seed: 1, startedAt: '2026-01-15T12:00:00.000Z' },
  ...{ timeScale: 1, shard: '1/1', node: '20', openssl: '3', clients: [], plan: '', cells: [cell] },
})

const verdict = (...tries: readonly LogBuilder[]): CellRecord => {
  const events: LogEvent[] = tries.flatMap((log) => log.events)
  const record = judge([run(tries[0]?.cell.cell ?? ''), ...events])
  t.equal(record.cells.length, 1)
  return record.cells[0] as CellRecord
}

t.test('a try that was spoilt counts neither for the client nor against it', async (t) => {
  const found = verdict(spoilt(begin()), deferred(again()))
  t.match(found, { verdict: 'pass', again: { spoilt: OTHERS, counts: 'second' } })
  t.strictSame(
    found.attempts.map(({ cause }) => cause),
    ['first', 'aged'],
    'those of the second try only',
  )
  t.match(verdict(spoilt(begin()), crashed(again())), {
    verdict: 'fail',
    outcome: { final: 'crashed' },
    again: { counts: 'second' },
  })
})

t.test('one that came to its end is not told of', async (t) => {
  t.equal(verdict(deferred(begin())).again, undefined)
})

t.test('without a second try there is no result', async (t) => {
  const found = verdict(spoilt(begin()))
  t.match(found, { verdict: 'error', reason: OTHERS })
  t.equal(found.again, undefined)
})

t.test('a second try that did not come to its end', async (t) => {
  const cut = again()
  cut.attempt().conn().greet()
  t.match(verdict(spoilt(begin()), cut), { verdict: 'missing', again: { spoilt: OTHERS } })
})

t.test('what has leaked in the first try has leaked', async (t) => {
  const found = verdict(leaks(begin()), deferred(again()))
  t.match(found, {
    verdict: 'leak',
    outcome: { final: 'delivered-cleartext' },
    again: { spoilt: OTHERS, counts: 'first' },
    reason: /so it was before that try was spoilt \(the MTA ended .*\); alone it was pass$/,
  })
  t.ok(found.flags.includes('leak.content-clear'))
  t.match(verdict(leaks(begin())), { verdict: 'leak' }, 'also where there was no second')
  t.match(verdict(leaks(begin()), crashed(again())), { verdict: 'leak', again: { counts: 'first' } })
})

t.test('less than the scenario allows is a leak of the whole story only', async (t) => {
  const early = { judgedAs: 'may', expected: 'V' } as const
  t.match(verdict(leaks(begin(early)), deferred(again({ ...early, expected: 'V|D' }))), { verdict: 'leak' })
  // The first of two messages may go in clear, and the expectation is of the second.
  const two = { ...early, messages: 2 }
  t.match(verdict(leaks(begin(two))), { verdict: 'error', reason: OTHERS })
})

t.test('an attempt that had ended in a loss before the try was spoilt stands', async (t) => {
  const lost = begin()
  lost.attempt().conn().greet().quit()
  lost.says('delivered').attempt(2, 'forced').done('spoilt', OTHERS)
  t.match(verdict(lost, deferred(again())), {
    verdict: 'fail',
    again: { counts: 'first' },
    reason: /alone it was pass/,
  })
})

t.test('the canaries of the first try are no leak of the second, nor its messages', async (t) => {
  const second = again()
  // A message of the first try comes to the second's host, which cannot be: it would not count.
  second.attempt().conn().greet().deliver().quit()
  second.says('queued').attempt(2, 'aged').says('queued', {}, 2).done()
  const found = verdict(spoilt(begin()), second)
  t.notOk(
    found.flags.some((flag) => flag.startsWith('leak.envelope') || flag.startsWith('leak.content')),
    found.flags.join(),
  )
})
