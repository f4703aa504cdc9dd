import t from 'tap'
import { cell, HOSTILE, HOSTILE_RECORD, record, SAMPLE } from '../test/sample-record.ts'
import { format } from './markdown.ts'

t.test('sentences, result and findings come first', async (t) => {
  const text = format.render(SAMPLE)
  const order = [
    '# badmx\n\nnodemailer 10.6.0 **leaked credentials** in 1 of 5 scenarios',
    'Result: **findings** (exit code 1); 4 findings: 3 leak and 1 fail',
    '| ▲ leak | 4 |',
    '## Findings\n\n- ▲ leak **strip/strip-ehlo-omit** (nodemailer 10.6.0, encrypt, verify): sent AUTH PLAIN',
    '  <br>expected `D`, observed `delivered-cleartext`; reproduce: `badmx run --client nodemailer',
    '## Without a result\n\n- ■ error **inject/inject-auth** (curl 7.88.1 (bookworm), verify): no port was free\n- ?',
    '## Worth knowing',
    '## Known deviations\n\n- ▲ leak cert/cert-match-cn/verify/curl: curl #<!-- -->1234: CN still counts\n- **did not come**',
    '## nodemailer 10.6.0\n\n| scenario | may | encrypt | verify |\n| --- | --- | --- | --- |\n| control/ctl-tls13-pkix |  |  | ✓ pass |',
    'badmx 0.1.0, seed 7, time scale 10, started 2026-01-02T03:04:05.678Z.\n',
  ].map((part) => text.indexOf(part))
  t.notOk(order.includes(-1), `every part is there: ${order}`)
  t.strictSame(
    order,
    [...order].sort((a, b) => a - b),
    'in this order',
  )
})

t.test('a fine run says so', async (t) => {
  const text = format.render(record([cell()]))
  t.match(text, 'Result: **fine** (exit code 0).')
  t.notMatch(text, '## Findings')
})

t.test('tells how many cells were run again', async (t) => {
  const again = { spoilt: 'an MTA ended with 7 cells in hand', counts: 'second' } as const
  t.match(format.render(record([cell({ again })])), /\| ✓ pass \| 1 \|\n\n1 cell run again, each alone\.\n/)
  t.notMatch(format.render(record([cell()])), /again/)
})

t.test('a long matrix is folded, a long summary is cut and says so', async (t) => {
  const many = (count: number, changes: object): string =>
    format.render(
      record(Array.from({ length: count }, (_, index) => cell({ scenario: `strip/s${index}`, ...changes }))),
    )
  t.match(many(21, {}), '<details><summary>nodemailer 10.6.0: 21 scenarios</summary>\n\n| scenario |')
  t.notMatch(many(20, {}), '<details>')
  const long = many(4000, { verdict: 'leak', reason: 'ü'.repeat(500) })
  t.ok(Buffer.byteLength(long) < 1_000_000)
  t.match(long, /too long for its place: \d+ sections left out\.\n$/)
})

t.test('hostile texts become no markup, link, mention or line', async (t) => {
  const text = format.render(HOSTILE_RECORD)
  const outside = text.replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, '')
  t.notMatch(outside, /<(?!br>|!-- -->)/, 'no element but ours')
  t.notMatch(outside, /[^\\]:\/\/|@admin|[^\\]\[x|[^\\]\*\[/)
  t.notMatch(text, /^not ok/m)
  const fenced = format.render(record([cell({ verdict: 'leak', expected: 'a`b``c`' })]))
  t.match(fenced, 'expected ``` a`b``c` ```,', 'a code span outlasts the backquotes in it')
  t.match(format.render(record([cell({ verdict: 'leak', reason: HOSTILE })])), '&lt;/script&gt;')
})
