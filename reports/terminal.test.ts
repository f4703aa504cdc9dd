import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { POLICIES } from '../scenarios/policy.ts'
import type { CellRecord } from '../scenarios/record.ts'
import { renderTerminal, type TerminalOptions } from './terminal.ts'
import { cell, HOSTILE_RECORD, record, SAMPLE } from './test/sample-record.ts'
import { columns } from './text.ts'

const OPTIONS: TerminalOptions = {
  color: false,
  width: 80,
  files: [
    { path: 'out/run.json', title: 'everything, for programs' },
    { path: 'out/summary.md', title: 'for people' },
  ],
  fullRun: 'badmx run --client nodemailer,curl',
  show: (cell) => `badmx show ${cell.id}`,
}

t.test('tells how many cells were run again, and nothing where none was', async (t) => {
  const again = { spoilt: 'an MTA ended with others in hand', counts: 'second' } as const
  const twice = record([cell({ scenario: 'strip/a', again }), cell({ scenario: 'strip/b', again }), cell()])
  t.match(renderTerminal(twice, OPTIONS), /✓ pass 3 {3}run again, each alone: 2\n/)
  t.notMatch(renderTerminal(record([cell()]), OPTIONS), /again/)
})

t.test('a crash that no cell has shown alone is told, and one that a cell has is its finding', async (t) => {
  const end = 'the MTA ended by itself (status 1) with 3 cells in hand'
  const again = { spoilt: `${end}, and a run of this one alone shows`, counts: 'second' } as const
  const crashed = { first: 'crashed', final: 'crashed' } as const
  const innocent = cell({ scenario: 'strip/a', again })
  const told = renderTerminal(record([innocent]), OPTIONS)
  t.match(told, 'Crashes that no cell has shown alone\n  nodemailer 10.6.0: the MTA ended by itself (status 1) with 3')
  t.match(told, /and none of the 1\s+that were run again alone has crashed/)
  const guilty = cell({ scenario: 'strip/b', again, verdict: 'fail', outcome: crashed })
  t.notMatch(renderTerminal(record([innocent, guilty]), OPTIONS), 'Crashes')
  const blocked = { spoilt: 'the MTA was blocked by one of 3 cells in hand', counts: 'second' } as const
  t.notMatch(renderTerminal(record([cell({ again: blocked })]), OPTIONS), 'Crashes')
})

t.test('the sample at 80 columns', async (t) => {
  t.equal(
    renderTerminal(SAMPLE, OPTIONS),
    `nodemailer 10.6.0 leaked credentials in 1 of 5 scenarios, believed injected
replies in 1 more and bounced where it had to defer in 1 more.
curl 7.88.1 (bookworm): no new leak and no new failure in 4 scenarios; 3 cells
without a result; 1 known deviation.

nodemailer 10.6.0
           may  encrypt  verify
  control                ✓1
  strip    ⊘1   ▲1       ▲1 ✗1
  inject                 ▲1
  cert     ⚑1

curl 7.88.1 (bookworm)
           may  verify       dane
  control       ✓1
  cert          ▲1 ✓2
  strip    ∙1                –1
  inject        ■1 ?1 ∅1 ○1

▲ leak 4   ✗ fail 1   ⚑ flagged 1   ⊘ over-strict 1   ■ error 1
? inconclusive 1   ∅ missing 1   ✓ pass 4   ∙ info 1   ○ not-exercised 1
– unsupported 1   harness controls: 1 of 1 passed

Findings
  nodemailer 10.6.0
  ▲ leak          strip/strip-ehlo-omit under encrypt, verify
                  sent AUTH PLAIN and the message in clear after the EHLO reply
                  without STARTTLS
  ▲ leak          inject/inject-reply-full under verify
                  sent MAIL FROM after the EHLO whose reply was withheld
  ✗ fail          strip/strip-reply-454 under verify
                  gave the message up for good where it had to try again

Worth knowing
  nodemailer 10.6.0
  ⚑ flagged       cert/cert-expired under may
                  delivered in clear after the certificate
  ⊘ over-strict   strip/strip-lower-case under may
                  refused starttls in lower case

Without a result
  curl 7.88.1 (bookworm)
  ■ error         inject/inject-auth under verify
                  no port was free
  ? inconclusive  inject/inject-fragment under verify
                  the fault did not fire
  ∅ missing       inject/inject-late under verify
                  planned, and no result came

Known deviations that did not come
  cert/cert-wrong-name/verify/curl: fixed in 7.89?

Reports
  out/run.json    everything, for programs
  out/summary.md  for people
Look closer
  badmx show strip/strip-ehlo-omit/verify/nodemailer
  badmx show inject/inject-reply-full/verify/nodemailer
  badmx show strip/strip-reply-454/verify/nodemailer
Run everything
  badmx run --client nodemailer,curl

Result: findings (exit code 1): 7 of 18 cells fine; 4 findings: 3 leak and 1
fail; 3 cells without a result: 1 error, 1 inconclusive and 1 missing; 1 known
deviation not counted; 1 known deviation did not come: update the list.
`,
  )
})

t.test('a fine run is short', async (t) => {
  const { fullRun: _, ...options } = OPTIONS
  t.equal(
    renderTerminal(record([cell()]), { ...options, files: [] }),
    `nodemailer 10.6.0: no leak and no failure in 1 scenario.

nodemailer 10.6.0
         verify
  strip  ✓1

✓ pass 1

Result: fine (exit code 0): 1 of 1 cell fine.
`,
  )
})

t.test('colour adds nothing but colour', async (t) => {
  const colored = renderTerminal(SAMPLE, { ...OPTIONS, color: true })
  t.match(colored, '\u001b[31m\u001b[1mleaked credentials\u001b[22m\u001b[39m')
  t.equal(stripVTControlCharacters(colored), renderTerminal(SAMPLE, OPTIONS))
})

const manyPolicies = POLICIES.flatMap((policy) =>
  Array.from({ length: 40 }, (_, index): CellRecord => {
    const verdict = (['pass', 'leak', 'fail', 'not-exercised', 'error'] as const)[index % 5] ?? 'pass'
    return cell({ scenario: `strip/strip-number-${index}`, policy, verdict })
  }),
)

t.test('no line is wider than asked, but for commands and files; hostile texts too', async (t) => {
  for (const one of [SAMPLE, HOSTILE_RECORD, record(manyPolicies), record([])]) {
    for (const width of [60, 80, 100, 120]) {
      const lines = renderTerminal(one, { ...OPTIONS, width }).split('\n')
      const wide = lines.filter((line) => !line.startsWith('  badmx ') && columns(line) > width)
      t.strictSame(wide, [], `at ${width}`)
      t.notOk(lines.some((line) => /[\p{Cc}\p{Cf}]/u.test(line)))
    }
  }
})

t.test('a wide matrix goes on in a further block, a long list is cut and says so', async (t) => {
  const narrow = renderTerminal(record(manyPolicies), { ...OPTIONS, width: 60 })
  t.ok((narrow.match(/^nodemailer 10\.6\.0$/gm)?.length ?? 0) > 1)
  for (const policy of POLICIES) t.match(narrow, new RegExp(`^ {2}.* ${policy}\\b`, 'm'))
  const many = Array.from({ length: 33 }, (_, index) => cell({ scenario: `strip/s${index}`, verdict: 'leak' }))
  t.match(renderTerminal(record(many), OPTIONS), '\n  … and 3 more\n')
})

t.test('connections that nobody asked for are listed, where there are any', async (t) => {
  const stray = { cell: 'strip/x/may/curl', conn: 'x.1', atMs: 7, detail: 'from 127.0.0.1:4711, \u001b[2J' }
  const text = renderTerminal({ ...SAMPLE, unexpected: [stray] }, OPTIONS)
  t.match(text, /^Unexpected connections\n {2}strip\/x\/may\/curl: from 127\.0\.0\.1:4711, /m)
  t.notOk(text.includes('\u001b'))
  t.notMatch(renderTerminal(SAMPLE, OPTIONS), /Unexpected/)
})
