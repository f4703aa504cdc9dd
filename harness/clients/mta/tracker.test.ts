import t from 'tap'
import { type LogReader, Tracker } from './tracker.ts'

const NEVER = new AbortController().signal

/** `ID state`, as a log of few words would have it. */
const read: LogReader = (line) => {
  const [, id, state] = /^(\w+) (delivered|queued|bounced)/.exec(line) ?? []
  if (id === undefined) return undefined
  return { id, state: state as 'delivered' | 'queued' | 'bounced', reason: line }
}

t.test('an attempt ends with the report of its own message', async (t) => {
  const tracker = new Tracker(read)
  tracker.follow(['A1', '198.18.1.1'], 'A1')
  tracker.follow(['B2', '198.18.1.2'], 'B2')
  const [a, b] = [tracker.outcome('A1', 10_000, NEVER), tracker.outcome('B2', 10_000, NEVER)]
  tracker.line('connected to mx[198.18.1.1]:25')
  tracker.line('connected to mx[198.18.1.2]:25')
  tracker.line('nothing of interest')
  tracker.line('B2 queued: no TLS')
  tracker.line('A1 delivered')
  t.match(await b, { state: 'queued', log: ['connected to mx[198.18.1.2]:25', 'B2 queued: no TLS'] })
  t.match(await a, { state: 'delivered', log: ['connected to mx[198.18.1.1]:25', 'A1 delivered'] })
})

t.test('each line has its time, whoever it waited for', async (t) => {
  const tracker = new Tracker(read)
  const began = performance.now()
  tracker.line('C3 connected')
  tracker.follow(['C3'], 'C3')
  const between = performance.now()
  tracker.line('C3 delivered')
  const { log, heard = [] } = await tracker.outcome('C3', 10_000, NEVER)
  t.strictSame(log, ['C3 connected', 'C3 delivered'])
  const [first = 0, second = 0] = heard
  t.ok(began <= first && first <= between && between <= second && second <= performance.now(), String(heard))
  tracker.died('was killed')
  const crashed = await tracker.outcome('C3', 10_000, NEVER)
  t.match(crashed, { state: 'crashed', log: [...log, '…', ...log] })
  t.equal(crashed.heard?.length, crashed.log.length)
})

t.test('a log that is faster than the reply to the submission', async (t) => {
  const tracker = new Tracker(read)
  tracker.line('C3 delivered')
  tracker.follow(['C3'], 'C3')
  t.match(await tracker.outcome('C3', 10_000, NEVER), { state: 'delivered', log: ['C3 delivered'] })
})

t.test('a report that many lines of others have buried before its message is followed', async (t) => {
  const tracker = new Tracker(read)
  tracker.line('C4 delivered')
  for (let count = 0; count < 1_000; count++) tracker.line(`nobody knows line ${count}`)
  tracker.follow(['C4'], 'C4')
  t.match(await tracker.outcome('C4', 10_000, NEVER), { state: 'delivered', log: ['C4 delivered'] })
})

t.test('a report that comes before anybody waits for it', async (t) => {
  const tracker = new Tracker(read)
  tracker.follow(['D4'], 'D4')
  tracker.line('D4 queued')
  tracker.line('D4 delivered')
  t.match(await tracker.outcome('D4', 10_000, NEVER), { state: 'queued' })
  t.match(await tracker.outcome('D4', 10_000, NEVER), { state: 'delivered' }, 'the next attempt is the next report')
})

t.test('what was told last, without waiting', async (t) => {
  const tracker = new Tracker(read)
  tracker.follow(['G7'], 'G7')
  t.equal(tracker.told('G7'), undefined)
  tracker.line('G7 queued')
  tracker.line('G7 bounced')
  t.match(tracker.told('G7'), { state: 'bounced' })
  t.equal(tracker.told('G7'), undefined, 'it is told once')
})

t.test('without a report: the deadline, the end of the run, the death of the MTA', async (t) => {
  const tracker = new Tracker(read)
  tracker.follow(['E5'], 'E5')
  t.match(await tracker.outcome('E5', 10, NEVER), { state: 'hung' })
  const stop = new AbortController()
  const aborted = tracker.outcome('E5', 10_000, stop.signal)
  stop.abort()
  t.match(await aborted, { state: 'hung' })
  const pending = tracker.outcome('E5', 10_000, NEVER)
  tracker.line('panic: out of ideas')
  tracker.died('ended by itself (status 1)')
  t.match(await pending, { state: 'crashed', log: ['…', 'panic: out of ideas'], reason: 'ended by itself (status 1)' })
})

t.test('an MTA that dies with several messages in hand accuses none of them', async (t) => {
  const tracker = new Tracker(read)
  for (const id of ['G7', 'H8', 'I9']) tracker.follow([id], id)
  const done = tracker.outcome('G7', 10_000, NEVER)
  const pending = ['H8', 'I9'].map((id) => tracker.outcome(id, 10_000, NEVER))
  tracker.line('G7 delivered')
  t.match(await done, { state: 'delivered' })
  tracker.died('ended by itself (status 1)')
  for (const each of pending)
    await t.rejects(each, {
      name: 'SpoiltError',
      message: /\(status 1\) with 2 cells in hand, and a run of this one alone/,
    })
  t.equal(tracker.ended, 'ended by itself (status 1)')
})

t.test(
  'one that dies with messages of one cell in hand accuses it, and none that is at rest in its queue',
  async (t) => {
    const tracker = new Tracker(read)
    tracker.follow(['L1'], 'at rest')
    tracker.line('L1 queued')
    t.match(await tracker.outcome('L1', 10_000, NEVER), { state: 'queued' })
    for (const id of ['M2', 'N3']) tracker.follow([id], 'in hand')
    const pending = ['M2', 'N3'].map((id) => tracker.outcome(id, 10_000, NEVER))
    tracker.died('ended by itself (status 1)')
    for (const each of pending) t.match(await each, { state: 'crashed' })
    await t.rejects(tracker.outcome('L1', 10_000, NEVER), { name: 'SpoiltError', message: /with another cell in hand/ })
  },
)

t.test('one that never had another cell accuses it, whatever it did with it', async (t) => {
  const tracker = new Tracker(read)
  tracker.follow(['O4'], 'only')
  tracker.line('O4 queued')
  t.match(await tracker.outcome('O4', 10_000, NEVER), { state: 'queued' })
  tracker.died('ended by itself (status 1)')
  t.match(await tracker.outcome('O4', 10_000, NEVER), { state: 'crashed', reason: 'ended by itself (status 1)' })
})

t.test('a message that is being submitted is in hand, as far as anybody knows', async (t) => {
  const tracker = new Tracker(read)
  tracker.follow(['P5'], 'taken')
  const taken = tracker.takes('in doubt')
  const pending = tracker.outcome('P5', 10_000, NEVER)
  tracker.died('ended by itself (status 1)')
  taken()
  await t.rejects(pending, { name: 'SpoiltError' })
  t.throws(() => tracker.crash('in doubt'), { name: 'SpoiltError' })

  const alone = new Tracker(read)
  alone.takes('in doubt')
  alone.died('ended by itself (status 1)')
  t.match(alone.crash('in doubt'), { state: 'crashed', reason: 'ended by itself (status 1)' })
})

t.test('an MTA that dies with one message in hand, others at rest in its queue', async (t) => {
  const tracker = new Tracker(read)
  for (const id of ['J1', 'K2']) tracker.follow([id], id)
  tracker.line('J1 queued')
  t.match(await tracker.outcome('J1', 10_000, NEVER), { state: 'queued' })
  const pending = tracker.outcome('K2', 10_000, NEVER)
  tracker.died('ended by itself (status 1)')
  t.match(await pending, { state: 'crashed' })
})

t.test('a message that was left is of no interest', async (t) => {
  const tracker = new Tracker(read)
  tracker.follow(['F6', '198.18.1.6'], 'F6')
  tracker.leave('F6')
  tracker.line('F6 delivered')
  await t.rejects(tracker.outcome('F6', 10, NEVER), /F6 is not followed/)
})

t.test('until a line is seen', async (t) => {
  const tracker = new Tracker(read)
  const ready = tracker.seen(/started/, 10_000)
  tracker.line('daemon started')
  t.equal(await ready, undefined)
  t.equal(await tracker.seen(/started/, 10), undefined, 'it may have been there before')
  t.equal(await tracker.seen(/sorcery/, 10), 'was not ready after 0.01 s')
  const never = tracker.seen(/sorcery/, 10_000)
  tracker.died('ended by itself (status 75)')
  t.equal(await never, 'ended by itself (status 75)')
})

t.test('the next line that matches', async (t) => {
  const tracker = new Tracker(read)
  tracker.line('L3 taken')
  const heard = tracker.heard(/^(\w+) taken/, 10_000)
  tracker.line('something else')
  tracker.line('M4 taken')
  t.equal((await heard)[1], 'M4', 'not one that was there before')
  await t.rejects(tracker.heard(/taken/, 10), /nothing like \/taken\/ in its log after 0.01 s/)
})

t.test('an MTA of one thread that was blocked', async (t) => {
  const tracker = new Tracker(() => undefined)
  const before = performance.now()
  tracker.follow(['a'], 'cell')
  tracker.follow(['a2'], 'cell')
  tracker.line('badmx: was blocked for 9000 ms')
  t.equal(tracker.wasBlockedSince(before, 'cell'), false, 'it has one cell, which then did it')
  tracker.follow(['b'], 'other')
  t.equal(tracker.wasBlockedSince(before, 'cell'), true)
  t.equal(tracker.wasBlockedSince(performance.now() + 1, 'cell'), false, 'before that')
})
