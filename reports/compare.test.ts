import t from 'tap'
import type { CellRecord } from '../scenarios/record.ts'
import { type Comparison, compareRecords, failing } from './compare.ts'
import type { GateOptions } from './gate.ts'
import { cell, record, SAMPLE } from './test/sample-record.ts'

type Cell = Partial<CellRecord> | undefined

/** One cell against one cell; undefined is a cell that is not there. A second cell keeps the runs comparable. */
function compared(old: Cell, now: Cell, options: GateOptions = {}): Comparison {
  const anchor = cell({ scenario: 'strip/anchor' })
  const side = (one: Cell) => record([anchor, ...(one === undefined ? [] : [cell(one)])])
  return compareRecords(side(old), side(now), options)
}

function kindOf(old: Cell, now: Cell, options: GateOptions = {}): readonly (string | number)[] {
  const { changes, exitCode } = compared(old, now, options)
  return [...changes.map(({ kind }) => kind), exitCode]
}

const KNOWN = { known: { reason: 'bug 1', unexpectedPass: false } }
const LEAKS: Partial<CellRecord> = {
  verdict: 'leak',
  flags: ['leak.content-clear'],
  findings: [{ flag: 'leak.content-clear', weight: 'leak', detail: 'body in clear' }],
}
const LEAKS_MORE: Partial<CellRecord> = {
  verdict: 'leak',
  flags: ['leak.content-clear', 'leak.credentials-clear'],
  findings: [...(LEAKS.findings ?? []), { flag: 'leak.credentials-clear', weight: 'leak', detail: 'password' }],
}

t.test('the kind of each change, and the exit code', async (t) => {
  const rows: readonly (readonly [string, Cell, Cell, readonly (string | number)[], GateOptions?])[] = [
    ['nothing', {}, {}, [0]],
    ['still failing', { verdict: 'fail' }, { verdict: 'fail' }, [0]],
    ['pass to leak', {}, LEAKS, ['new-leak', 1]],
    ['fail to leak', { verdict: 'fail' }, LEAKS, ['new-leak', 1]],
    ['no answer to leak', { verdict: 'error' }, LEAKS, ['new-leak', 1]],
    ['nothing to leak', undefined, LEAKS, ['new-leak', 1]],
    ['unsupported to leak', { verdict: 'unsupported' }, LEAKS, ['new-leak', 1]],
    ['the same leak', LEAKS, LEAKS, [0]],
    ['a leak that leaks more', LEAKS, LEAKS_MORE, ['new-leak', 1]],
    ['a leak that leaks less', LEAKS_MORE, LEAKS, ['outcome', 0]],
    ['a leak that is known', {}, { ...LEAKS, ...KNOWN }, ['tolerated', 0]],
    ['pass to fail', {}, { verdict: 'fail' }, ['regression', 1]],
    ['flagged to fail', { verdict: 'flagged' }, { verdict: 'fail' }, ['regression', 1]],
    ['not-exercised to fail', { verdict: 'not-exercised' }, { verdict: 'fail' }, ['regression', 1]],
    ['info to fail', { verdict: 'info' }, { verdict: 'fail' }, ['regression', 1]],
    ['pass to a known failure', {}, { verdict: 'fail', ...KNOWN }, ['tolerated', 0]],
    ['pass to flagged', {}, { verdict: 'flagged' }, ['tolerated', 0]],
    ['pass to flagged, which counts', {}, { verdict: 'flagged' }, ['regression', 1], { failOn: 'flagged' }],
    ['pass to over-strict, which counts', {}, { verdict: 'over-strict' }, ['regression', 1], { strict: true }],
    ['flagged to over-strict', { verdict: 'flagged' }, { verdict: 'over-strict' }, ['changed', 0]],
    ['the same, which counts', { verdict: 'flagged' }, { verdict: 'over-strict' }, ['regression', 1], { strict: true }],
    ['flagged twice, which counts', { verdict: 'flagged' }, { verdict: 'flagged' }, [0], { failOn: 'flagged' }],
    ['pass to no answer', {}, { verdict: 'inconclusive' }, ['unanswered', 3]],
    ['leak to no answer', LEAKS, { verdict: 'missing' }, ['unanswered', 3]],
    ['never an answer', { verdict: 'error' }, { verdict: 'error' }, [3]],
    ['leak to not-exercised is not fixed', LEAKS, { verdict: 'not-exercised' }, ['changed', 0]],
    ['leak to info is not fixed', LEAKS, { verdict: 'info' }, ['changed', 0]],
    ['leak to unsupported is not fixed', LEAKS, { verdict: 'unsupported' }, ['changed', 0]],
    ['leak to fail is not fixed', LEAKS, { verdict: 'fail' }, ['changed', 0]],
    ['pass to not-exercised', {}, { verdict: 'not-exercised' }, ['changed', 0]],
    ['leak to pass', LEAKS, {}, ['fixed', 0]],
    ['fail to flagged', { verdict: 'fail' }, { verdict: 'flagged' }, ['fixed', 0]],
    [
      'fail to flagged, which counts',
      { verdict: 'fail' },
      { verdict: 'flagged' },
      ['changed', 0],
      { failOn: 'flagged' },
    ],
    ['flagged to pass', { verdict: 'flagged' }, {}, ['fixed', 0]],
    ['no answer to pass', { verdict: 'missing' }, {}, ['answered', 0]],
    ['no answer to fail', { verdict: 'error' }, { verdict: 'fail' }, ['answered', 0]],
    ['unsupported to fail', { verdict: 'unsupported' }, { verdict: 'fail' }, ['answered', 0]],
    ['added', undefined, {}, ['added', 0]],
    ['added and failing', undefined, { verdict: 'fail' }, ['added', 0]],
    ['removed', LEAKS, undefined, ['removed', 0]],
    ['other flags', { verdict: 'flagged', flags: ['a'] }, { verdict: 'flagged', flags: ['b'] }, ['outcome', 0]],
    ['another final outcome', {}, { outcome: { first: 'deferred', final: 'delivered-verified' } }, ['outcome', 0]],
    ['another sentence only', {}, { reason: 'said otherwise', durationMs: 9 }, [0]],
  ]
  for (const [name, old, now, want, options] of rows) t.strictSame(kindOf(old, now, options), want, name)
})

t.test('what is not counted is said', async (t) => {
  t.strictSame(compared({ verdict: 'fail' }, { verdict: 'fail' }).reasons, [
    'no new leak',
    'no regression',
    '1 finding as before, not counted',
  ])
  const added = compared(undefined, { verdict: 'fail' })
  t.equal(added.reasons.at(-1), '1 failure in cells that had no answer before, not counted')
  t.strictSame(compared({}, LEAKS).reasons, ['1 new leak', 'no regression'])
})

t.test('trouble is never hidden by findings that are not new', async (t) => {
  const failing = cell({ scenario: 'strip/fails', verdict: 'fail' })
  t.equal(compareRecords(record([failing, cell()]), record([failing, cell({ verdict: 'error' })])).exitCode, 3)
  t.equal(compareRecords(record([failing]), record([failing], { interrupted: true })).exitCode, 3)
  const nothing = compareRecords(record([cell()]), record([cell({ verdict: 'unsupported' })]))
  t.match(nothing, { exitCode: 3, reasons: ['no new leak', 'no regression', 'the new run judged nothing'] })
})

t.test('versions of a client are compared, clients are not', async (t) => {
  const versions = (version: string) => ({ clients: [{ id: 'nodemailer', name: 'nodemailer', version }] })
  const found = compareRecords(record([cell()], versions('9')), record([cell(LEAKS)], versions('10')))
  t.match(found, { common: 1, unchanged: 0, exitCode: 1, old: versions('9'), new: versions('10') })
  t.match(found.changes, [{ cell: 'strip/strip-ehlo-omit/verify/nodemailer', old: { verdict: 'pass' } }])
  const others = compareRecords(record([cell()]), record([cell({ client: 'curl' })]))
  t.match(others, { common: 0, exitCode: 2, reasons: ['no cell is in both runs', 'no new leak', 'no regression'] })
})

t.test('repetitions stand as their worst', async (t) => {
  const again = (changes: Partial<CellRecord>) => cell({ id: 'strip/strip-ehlo-omit/verify/nodemailer#2', ...changes })
  const once = record([cell()])
  t.strictSame(failing(compareRecords(once, record([cell(), again({ verdict: 'fail' })]))).length, 1)
  t.strictSame(compareRecords(once, record([cell(), again({})])).changes, [])
  // A leak in one of five times is a leak: five times fine against it is nothing new.
  t.strictSame(compareRecords(record([cell(LEAKS), again({})]), record([cell(), again(LEAKS)])).changes, [])
  t.equal(compareRecords(once, record([cell(), again({ verdict: 'error' })])).exitCode, 3)
  // A known leak does not cover a failure that nobody knows.
  const known = record([cell({ ...LEAKS, ...KNOWN }), again({ verdict: 'fail' })])
  t.match(compareRecords(once, known), { changes: [{ kind: 'regression' }], exitCode: 1 })
})

t.test('harness controls are no subject, and doubt when they fail', async (t) => {
  const control = (verdict: CellRecord['verdict']) =>
    cell({ scenario: 'control/ctl', client: 'reference', role: 'harness-control', verdict })
  const good = record([control('pass'), cell()])
  const broken = record([control('fail'), cell({ verdict: 'leak' })])
  const { changes, common, exitCode } = compareRecords(good, good)
  t.strictSame({ changes, common, exitCode }, { changes: [], common: 1, exitCode: 0 })
  t.match(compareRecords(good, broken), { exitCode: 3, reasons: ['1 harness control of the new run did not pass'] })
  t.match(compareRecords(broken, good), { exitCode: 3, reasons: ['1 harness control of the old run did not pass'] })
})

t.test('a record against itself has no change', async (t) => {
  const { changes, common, unchanged } = compareRecords(SAMPLE, SAMPLE)
  t.strictSame({ changes, common, unchanged }, { changes: [], common: 17, unchanged: 17 })
})
