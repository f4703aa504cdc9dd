import t from 'tap'
import type { LogEvent, RunBegun } from '../events.ts'
import type { CellRecord, Verdict } from '../record.ts'
import { missingCell } from './cell.ts'
import { applyControls } from './controls.ts'
import { judge } from './judge.ts'
import { LogBuilder } from './log-builder.ts'

const cell = (id: string, verdict: Verdict, role: CellRecord['role'] = 'scenario'): CellRecord => ({
  ...missingCell(id),
  verdict,
  role,
  reason: 'what it did',
})

const applied = (...cells: readonly CellRecord[]): readonly string[] =>
  applyControls(cells).map(({ verdict }) => verdict)

t.test('a harness control that fails makes the batch an error', (t) => {
  const others = [
    cell('strip/a/may/x', 'pass'),
    cell('strip/b/may/x', 'leak'),
    cell('strip/c/may/x', 'unsupported'),
    cell('strip/d/may/x', 'missing'),
  ]
  for (const verdict of ['leak', 'fail', 'over-strict', 'inconclusive', 'error', 'not-exercised'] as const) {
    t.strictSame(
      applied(cell('control/k/may/reference', verdict, 'harness-control'), ...others),
      ['error', 'error', 'error', 'unsupported', 'missing'],
      verdict,
    )
  }
  for (const verdict of ['pass', 'flagged'] as const) {
    t.strictSame(applied(cell('control/k/may/reference', verdict, 'harness-control'), ...others), [
      verdict,
      'pass',
      'leak',
      'unsupported',
      'missing',
    ])
  }
  t.strictSame(
    applied(cell('control/k/may/reference', 'missing', 'harness-control'), ...others),
    ['missing', 'inconclusive', 'leak', 'unsupported', 'missing'],
    'one that did not finish',
  )
  t.end()
})

t.test('a client control takes away passes under its policy; failures stand', (t) => {
  const control = cell('control/ctl-tls13-pkix/may/x', 'leak', 'client-control')
  const verdicts = [
    'pass',
    'flagged',
    'over-strict',
    'not-exercised',
    'leak',
    'fail',
    'info',
    'inconclusive',
    'error',
    'unsupported',
  ] as const
  const changed = applyControls([control, ...verdicts.map((verdict, at) => cell(`strip/s${at}/may/x`, verdict))])
  t.strictSame(
    changed.slice(1).map(({ verdict }) => verdict),
    [
      'inconclusive',
      'inconclusive',
      'inconclusive',
      'inconclusive',
      'leak',
      'fail',
      'info',
      'inconclusive',
      'error',
      'unsupported',
    ],
  )
  t.equal(
    changed[1]?.reason,
    'does not count, for the control control/ctl-tls13-pkix under may is leak (what it did); it would be pass: what it did',
  )
  t.strictSame(applied(control, cell('strip/s/encrypt/x', 'pass')), ['leak', 'pass'], 'another policy')
  t.strictSame(applied(control, cell('strip/s/may/y', 'pass')), ['leak', 'pass'], 'another client')
  t.strictSame(applied(cell('control/k/may/x', 'unsupported', 'client-control'), cell('strip/s/may/x', 'pass')), [
    'unsupported',
    'pass',
  ])
  t.end()
})

t.test('a control that is given up where it was to be kept shows that the policy is in force', (t) => {
  const bounced: CellRecord = {
    ...cell('control/ctl-no-tls-peer/encrypt/x', 'fail', 'client-control'),
    expected: 'D',
    outcome: { first: 'bounced', final: 'bounced' },
  }
  const other = cell('strip/s/encrypt/x', 'pass')
  t.strictSame(applied(bounced, other), ['fail', 'pass'])
  t.strictSame(applied({ ...bounced, expected: 'V' }, other), ['fail', 'inconclusive'], 'where it was to be delivered')
  t.strictSame(applied({ ...bounced, outcome: { first: 'hung', final: 'hung' } }, other), ['fail', 'inconclusive'])
  const broken = { assert: 'no-crash', held: false, detail: 'crashed' } as CellRecord['asserts'][number]
  t.strictSame(
    applied({ ...bounced, asserts: [broken] }, other),
    ['fail', 'inconclusive'],
    'and something else is wrong',
  )
  t.end()
})

const run = (cells: readonly string[]): RunBegun => ({
  type: 'run',
  t: 0,
  schema: 'badmx/events/1',
  badmx: '0.1.0',
  seed: 1,
  startedAt: '2026-01-15T12:00:00.000Z',
  timeScale: 10,
  shard: '1/1',
  node: '20',
  openssl: '3',
  clients: [{ id: 'client', name: 'Client', version: '1', kind: 'one-shot' }],
  plan: 'digest',
  cells,
})

t.test('every planned cell is in the record, in the order of the plan', (t) => {
  const done = new LogBuilder({ cell: 'strip/x/may/client', expected: 'C' }).attempt()
  done.conn().greet().deliver().quit()
  done.says('delivered').done()
  const open = new LogBuilder({ cell: 'strip/y/may/client', expected: 'C' }).attempt()
  const events: LogEvent[] = [
    run(['strip/z/may/client#2', 'strip/x/may/client', 'strip/y/may/client']),
    ...open.events,
    ...done.events,
  ]
  const record = judge([...events, { type: 'end', t: 99, finishedAt: '2026-01-15T12:00:09.000Z', interrupted: false }])
  t.strictSame(
    record.cells.map(({ id, verdict }) => [id, verdict]),
    [
      ['strip/z/may/client#2', 'missing'],
      ['strip/x/may/client', 'pass'],
      ['strip/y/may/client', 'missing'],
    ],
  )
  t.match(record.cells[0], { scenario: 'strip/z', policy: 'may', client: 'client' })
  t.match(record, { interrupted: false, finishedAt: '2026-01-15T12:00:09.000Z', schema: 'badmx/run/1' })
  t.match(judge(events), { interrupted: true }, 'no end')
  t.throws(() => judge(events.slice(1)), /no run event/)
  t.end()
})

t.test('of two shards of four, the cells of the others are missing; a control that failed in one has failed', (t) => {
  const whole = ['control/c/may/client', 'strip/x/may/client', 'strip/y/may/client', 'strip/z/may/client']
  const shard = (own: string, expected: string): LogEvent[] => {
    const events: LogEvent[] = [{ ...run(['control/c/may/client', own]), whole }]
    for (const [cell, wanted] of [
      ['control/c/may/client', expected],
      [own, 'C'],
    ] as const) {
      const log = new LogBuilder({ cell, expected: wanted }).attempt()
      log.conn().greet().deliver().quit()
      events.push(...log.says('delivered').done().events)
    }
    return [...events, { type: 'end', t: 9, finishedAt: '2026-01-15T12:00:09.000Z', interrupted: false }]
  }
  const verdicts = (events: LogEvent[]) => judge(events).cells.map(({ id, verdict }) => `${id} ${verdict}`)
  const [good, bad] = [shard('strip/x/may/client', 'C'), shard('strip/y/may/client', 'D')]
  const control = (events: LogEvent[]) => verdicts(events).find((line) => line.startsWith('control/'))
  t.equal(control([...good, ...bad]), control(bad))
  t.equal(control([...bad, ...good]), control(bad))
  t.not(control(good), control(bad))
  t.ok(verdicts([...good, ...bad]).includes('strip/z/may/client missing'))
  t.notOk(
    verdicts(good).some((line) => line.endsWith('missing')),
    'one shard alone is whole',
  )
  t.end()
})

t.test('a log of two shards is one record', (t) => {
  const end = { type: 'end', t: 9, finishedAt: '2026-01-15T12:00:09.000Z', interrupted: false } as const
  const first = run(['strip/x/may/client'])
  const second = { ...run(['strip/y/may/client']), startedAt: '2026-01-15T11:59:59.000Z' }
  const record = judge([first, second, end, end])
  t.strictSame(
    record.cells.map(({ id }) => id),
    ['strip/x/may/client', 'strip/y/may/client'],
  )
  t.equal(record.startedAt, '2026-01-15T11:59:59.000Z')
  t.equal(judge([first, second, end]).interrupted, true)
  t.end()
})
