import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { compareRecords } from './compare.ts'
import { renderComparison, renderComparisonMarkdown } from './compare-text.ts'
import { cell, HOSTILE_RECORD, record, SAMPLE } from './test/sample-record.ts'
import { columns } from './text.ts'

const OLD = record(
  [
    cell({ scenario: 'strip/a' }),
    cell({ scenario: 'strip/a', policy: 'encrypt' }),
    cell({ scenario: 'strip/b' }),
    cell({ scenario: 'inject/c', verdict: 'leak', reason: 'believed a reply', flags: ['inject.accepted'] }),
    cell({ scenario: 'inject/gone', client: 'curl' }),
  ],
  { clients: [{ id: 'nodemailer', name: 'Nodemailer', version: '9.0.2' }] },
)
const NEW = record(
  [
    cell({ scenario: 'strip/a', verdict: 'leak', reason: 'sent AUTH in clear', expected: 'V' }),
    cell({ scenario: 'strip/a', policy: 'encrypt', verdict: 'leak', reason: 'sent AUTH in clear', expected: 'V' }),
    cell({ scenario: 'strip/b', outcome: { first: 'deferred', final: 'bounced' }, flags: ['retry.none'] }),
    cell({ scenario: 'inject/c' }),
    cell({ scenario: 'inject/more' }),
  ],
  { badmx: '0.2.0', clients: [{ id: 'nodemailer', name: 'Nodemailer', version: '9.0.3' }] },
)
const CHANGED = compareRecords(OLD, NEW)

t.test('in a terminal', async (t) => {
  t.equal(
    renderComparison(CHANGED, { color: false, width: 80 }),
    `Nodemailer 9.0.2 → 9.0.3
curl
4 cells compared: unchanged 0, new leaks 2, fixed 1, same verdict by other
behaviour 1, added 1 and removed 1.
Note: badmx 0.1.0 → 0.2.0.

New leaks
  Nodemailer 9.0.2 → 9.0.3
  ▲ leak          strip/a under encrypt, verify
                  sent AUTH in clear
                  was pass: ended the connection after the EHLO reply without
                  STARTTLS
                  expected V; the old run expected D

Fixed
  Nodemailer 9.0.2 → 9.0.3
  ✓ pass          inject/c under verify
                  ended the connection after the EHLO reply without STARTTLS
                  was leak: believed a reply

Same verdict, other behaviour
  Nodemailer 9.0.2 → 9.0.3
  ✓ pass          strip/b under verify
                  ended the connection after the EHLO reply without STARTTLS
                  was deferred, is deferred, finally bounced; new: retry.none

Added
  Nodemailer 9.0.2 → 9.0.3, inject: ✓ pass 1

Removed
  curl, inject: ✓ pass 1

Compared: worse than before (exit code 1): 2 new leaks; no regression.
`,
  )
})

t.test('colour adds nothing but colour', async (t) => {
  const colored = renderComparison(CHANGED, { color: true, width: 80 })
  t.match(colored, '\u001b[31m\u001b[1mCompared: worse than before (exit code 1)')
  t.equal(stripVTControlCharacters(colored), renderComparison(CHANGED, { color: false, width: 80 }))
})

t.test('as Markdown', async (t) => {
  const text = renderComparisonMarkdown(CHANGED)
  t.match(text, /^# badmx: comparison\n\n- Nodemailer 9\.0\.2 → 9\.0\.3\n- curl\n/)
  t.match(text, '\nCompared: **worse than before** (exit code 1): 2 new leaks; no regression.\n')
  t.match(
    text,
    '\n## New leaks\n\n- ▲ leak **strip/a** (Nodemailer 9.0.2 → 9.0.3, encrypt, verify): sent AUTH in clear\n',
  )
  t.match(text, '\n## Removed\n\n- curl, inject: ✓ pass 1\n')
})

t.test('hostile texts do not get out, and no line is wider than asked', async (t) => {
  const other = record(HOSTILE_RECORD.cells.map((one) => ({ ...one, verdict: 'pass' as const, flags: [] })))
  for (const [old, now] of [
    [HOSTILE_RECORD, other],
    [other, HOSTILE_RECORD],
    [HOSTILE_RECORD, SAMPLE],
  ] as const) {
    const found = compareRecords(old, now)
    t.ok(found.changes.length > 0)
    for (const width of [60, 100]) {
      for (const line of renderComparison(found, { color: false, width }).split('\n')) {
        t.ok(columns(line) <= width, line)
        t.notMatch(line, /[\p{Cc}\p{Cf}]/u)
      }
    }
    const markdown = renderComparisonMarkdown(found)
    t.notMatch(markdown.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u)
    t.notMatch(markdown.replace(/<br>|<!-- -->/g, '').replace(/(`+)[^\n]*?\1/g, ''), /<\/?[a-z]/)
  }
})

t.test('long lists are cut and say so; Markdown keeps to its limit', async (t) => {
  const many = (verdict: 'pass' | 'fail') =>
    record(Array.from({ length: 33 }, (_, at) => cell({ scenario: `strip/s${at}`, verdict, reason: `is ${verdict}` })))
  const found = compareRecords(many('pass'), many('fail'))
  t.match(renderComparison(found, { color: false, width: 80 }), '\n  … and 3 more\n')
  t.match(renderComparisonMarkdown(found), '\n… and 3 more.\n')
  const short = renderComparisonMarkdown(found, 1000)
  t.ok(Buffer.byteLength(short) <= 1000)
  t.match(short, /sections left out\.\n$/)
})
