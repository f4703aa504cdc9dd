import t from 'tap'
import type { CellRecord, FlagRaised } from '../scenarios/record.ts'
import type { GateOptions } from './gate.ts'
import { deedOf, headlines, sentence } from './headline.ts'
import { cell, record, SAMPLE } from './test/sample-record.ts'

const said = (cells: readonly CellRecord[], options?: GateOptions): string[] =>
  headlines(record(cells), options).map((headline) => sentence(headline, (text) => `**${text}**`))

t.test('one sentence per client', async (t) => {
  t.strictSame(said(SAMPLE.cells), [
    'nodemailer 10.6.0 **leaked credentials** in 1 of 5 scenarios, **believed injected replies** in 1 more and ' +
      '**bounced where it had to defer** in 1 more.',
    'curl 7.88.1 (bookworm): **no new leak and no new failure** in 4 scenarios; 3 cells without a result; ' +
      '1 known deviation.',
  ])
  t.strictSame(
    headlines(SAMPLE).map(({ client, tone }) => [client, tone]),
    [
      ['nodemailer', 'bad'],
      ['curl', 'doubt'],
    ],
  )
})

t.test('a scenario counts once, whatever its policies and repetitions', async (t) => {
  const verdict = 'leak'
  const outcome = { first: 'delivered-cleartext', final: 'delivered-cleartext' } as const
  const cells = (['may', 'encrypt', 'verify'] as const).map((policy) => cell({ policy, verdict, outcome }))
  t.strictSame(said([...cells, cell({ scenario: 'strip/other' })]), [
    'nodemailer 10.6.0 **delivered in clear** in 1 of 2 scenarios.',
  ])
})

t.test('only scenarios with an answer are in the total', async (t) => {
  const quiet = (['unsupported', 'not-exercised'] as const).map((verdict) =>
    cell({ scenario: `strip/${verdict}`, verdict }),
  )
  t.strictSame(said([cell(), ...quiet]), ['nodemailer 10.6.0: **no leak and no failure** in 1 scenario.'])
  t.strictSame(said(quiet), ['nodemailer 10.6.0: **nothing was judged** (2 cells unsupported or not exercised).'])
  t.strictSame(said([cell({ verdict: 'error' })]), [
    'nodemailer 10.6.0: **nothing was judged**; 1 cell without a result.',
  ])
  t.equal(headlines(record([cell({ verdict: 'error' })]))[0]?.tone, 'doubt')
})

t.test('what is flagged or over-strict is told when it fails the run', async (t) => {
  const cells = [cell({ verdict: 'flagged' }), cell({ scenario: 'strip/other', verdict: 'over-strict' })]
  t.strictSame(said(cells), ['nodemailer 10.6.0: **no leak and no failure** in 2 scenarios.'])
  t.strictSame(said(cells, { failOn: 'flagged', strict: true }), [
    'nodemailer 10.6.0 **did what is tolerated** in 1 of 2 scenarios and **refused what it may deliver** in 1 more.',
  ])
})

t.test('deeds: the worst flag that weighed, then the outcome', async (t) => {
  const flag = (name: string, weight: FlagRaised['weight']): FlagRaised => ({ flag: name, weight, detail: '' })
  const leak = (...findings: FlagRaised[]): CellRecord => cell({ verdict: 'leak', findings })
  t.equal(
    deedOf(leak(flag('leak.envelope-clear', 'leak'), flag('leak.credentials-hash', 'leak'))),
    'leaked credentials',
  )
  t.equal(
    deedOf(leak(flag('leak.credentials-clear', 'info'), flag('inject.partial', 'leak'))),
    'believed injected replies',
  )
  t.equal(deedOf(leak()), 'leaked', 'nothing better is known')
  t.equal(
    deedOf(cell({ verdict: 'leak', outcome: { first: 'deferred', final: 'delivered-unauthenticated-tls' } })),
    'delivered to unverified peers',
  )
  t.equal(deedOf(cell({ verdict: 'fail', outcome: { first: 'lost', final: 'unknown' } })), 'lost messages')
  t.equal(
    deedOf(cell({ verdict: 'fail', findings: [flag('delivered-duplicate', 'fail')] })),
    'delivered messages twice',
  )
})

const control = (policy: CellRecord['policy'], scenario: string, changes: Partial<CellRecord>): CellRecord =>
  cell({ policy, scenario: `control/${scenario}`, role: 'client-control', ...changes })
const clear = { first: 'delivered-cleartext', final: 'delivered-cleartext' } as const
const verified = { first: 'delivered-verified', final: 'delivered-verified' } as const

t.test('a client whose controls all end in clear never uses TLS', async (t) => {
  const blind = [
    control('may', 'ctl-tls13-pkix', { verdict: 'leak', outcome: clear }),
    control('may', 'ctl-no-tls-peer', { outcome: clear }),
    control('none', 'ctl-tls13-pkix', { outcome: clear }),
    control('none', 'ctl-no-tls-peer', { outcome: clear }),
  ]
  t.strictSame(said(blind).slice(0, 1), ['nodemailer 10.6.0 **never uses TLS**: its passes under may do not count.'])
  t.strictSame(said([...blind, control('verify', 'ctl-tls13-pkix', { outcome: verified })]).slice(0, 1), [
    'nodemailer 10.6.0 **never uses TLS** under may: its passes under may do not count.',
  ])
  t.strictSame(said([...blind.slice(0, 2), control('may', 'ctl-tls12-pkix', { outcome: verified })]).slice(0, 1), [
    'nodemailer 10.6.0 **did not pass its controls** (control/ctl-tls13-pkix): its passes under may do not count.',
  ])
})

t.test('a control that is given up is told, and takes no passes away', async (t) => {
  const gone: CellRecord['outcome'] = { first: 'bounced', final: 'bounced' }
  const given = control('encrypt', 'ctl-no-tls-peer', { verdict: 'fail', expected: 'D', outcome: gone })
  t.strictSame(said([given]).slice(0, 1), [
    'nodemailer 10.6.0 **did not pass its controls** (control/ctl-no-tls-peer).',
  ])
})

t.test('controls that pass, or cannot be asked, make no sentence', async (t) => {
  const cells = [
    control('may', 'ctl-tls13-pkix', { outcome: verified }),
    control('dane', 'ctl-tls13-pkix', { verdict: 'unsupported' }),
  ]
  t.strictSame(said([...cells, cell()]), ['nodemailer 10.6.0: **no leak and no failure** in 1 scenario.'])
  t.strictSame(said(cells), ['nodemailer 10.6.0: **2 of 2 controls passed**.'])
})

t.test('a harness that fails its own controls comes first', async (t) => {
  const broken = cell({
    role: 'harness-control',
    client: 'reference',
    scenario: 'control/ctl-tls13-pkix',
    verdict: 'fail',
  })
  t.strictSame(said([cell(), broken]), [
    'The harness **did not pass 1 control of its own** (control/ctl-tls13-pkix under verify): no verdict of this run counts.',
    'nodemailer 10.6.0: **no leak and no failure** in 1 scenario.',
  ])
})
