import t from 'tap'
import type { CellRecord, Verdict } from '../scenarios/record.ts'
import { type GateOptions, gate, weigh } from './gate.ts'
import { cell, record, SAMPLE } from './test/sample-record.ts'

const codeOf = (cells: CellRecord[], options?: GateOptions): number => gate(record(cells), options).exitCode

t.test('the exit code of a run whose only cell has this verdict', async (t) => {
  const codes: Readonly<Record<Verdict, readonly [plain: number, failOn: number, strict: number]>> = {
    pass: [0, 0, 0],
    flagged: [0, 1, 0],
    'over-strict': [0, 0, 1],
    leak: [1, 1, 1],
    fail: [1, 1, 1],
    info: [0, 0, 0],
    unsupported: [3, 3, 3],
    'not-exercised': [0, 0, 0],
    inconclusive: [3, 3, 3],
    error: [3, 3, 3],
    missing: [3, 3, 3],
  }
  for (const [verdict, [plain, failOn, strict]] of Object.entries(codes)) {
    const cells = [cell({ verdict: verdict as Verdict })]
    t.equal(codeOf(cells), plain, verdict)
    t.equal(codeOf(cells, { failOn: 'flagged' }), failOn, `${verdict} with failOn flagged`)
    t.equal(codeOf(cells, { strict: true }), strict, `${verdict} with strict`)
  }
})

t.test('a run that judged nothing is not fine; one cell with an answer is enough', async (t) => {
  const unsupported = cell({ verdict: 'unsupported' })
  t.equal(codeOf([unsupported, cell({ role: 'harness-control', client: 'reference' })]), 3)
  t.equal(codeOf([unsupported, cell({ verdict: 'pass' })]), 0)
})

t.test('findings stand beside trouble, but not beside a harness that fails its own controls', async (t) => {
  const leak = cell({ verdict: 'leak' })
  t.equal(codeOf([leak, cell({ verdict: 'error' })]), 1)
  const control = cell({ role: 'harness-control', client: 'reference' })
  t.equal(codeOf([leak, control]), 1)
  t.equal(codeOf([leak, { ...control, verdict: 'error' }]), 3)
  t.equal(codeOf([{ ...control, verdict: 'leak' }]), 3, 'a leaking reference client is no finding')
  t.equal(weigh({ ...control, verdict: 'not-exercised' }), 'trouble', 'a control that proved nothing is none')
  t.equal(weigh({ ...control, verdict: 'flagged' }, { failOn: 'flagged' }), 'fine')
})

t.test('known deviations excuse findings and nothing else', async (t) => {
  const known = { reason: 'bug 1', unexpectedPass: false }
  t.equal(codeOf([cell({ verdict: 'leak', known })]), 0)
  t.equal(codeOf([cell({ verdict: 'leak', known }), cell({ verdict: 'fail' })]), 1)
  t.equal(codeOf([cell({ verdict: 'inconclusive', known })]), 3)
  t.equal(codeOf([cell({ verdict: 'leak', known: { ...known, unexpectedPass: true } })]), 1, 'only what was expected')
  const unexpected = gate(record([cell({ known: { reason: 'bug 1', unexpectedPass: true } })]))
  t.strictSame(unexpected, { exitCode: 0, reasons: ['1 known deviation did not come: update the list'] })
})

t.test('nothing run, and a run cut short, are not fine', async (t) => {
  t.strictSame(gate(record([])), { exitCode: 3, reasons: ['nothing was run'] })
  t.strictSame(gate(record([cell()], { interrupted: true })), { exitCode: 3, reasons: ['the run was interrupted'] })
  t.strictSame(gate(record([cell()])), { exitCode: 0, reasons: [] })
})

t.test('the reasons', async (t) => {
  t.strictSame(gate(SAMPLE), {
    exitCode: 1,
    reasons: [
      '4 findings: 3 leak and 1 fail',
      '3 cells without a result: 1 error, 1 inconclusive and 1 missing',
      '1 known deviation not counted',
      '1 known deviation did not come: update the list',
    ],
  })
  const broken = gate(record([cell({ role: 'harness-control', verdict: 'fail' }), cell({ verdict: 'error' })]))
  t.strictSame(broken.reasons, [
    '1 harness control did not pass: no verdict counts',
    '1 cell without a result: 1 error',
  ])
})
