import t from 'tap'
import { Parser, type Result } from 'tap-parser'
import { parse as parseYaml } from 'yaml'
import { HOSTILE, HOSTILE_RECORD, SAMPLE } from '../test/sample-record.ts'
import { visible } from '../text.ts'
import { format } from './tap.ts'

interface Read {
  readonly ok: boolean
  readonly points: readonly Result[]
  readonly strange: readonly string[]
}

/** An independent reader: tap's own parser, strict, which complains of everything that is not TAP. */
function read(text: string): Read {
  const points: Result[] = []
  const strange: string[] = []
  const parser = new Parser({ strict: true })
  parser.on('assert', (point: Result) => points.push(point))
  parser.on('extra', (line: string) => strange.push(line))
  parser.end(text)
  return { ok: parser.ok, points, strange }
}

t.test('read back', async (t) => {
  const { ok, points, strange } = read(format.render(SAMPLE))
  t.equal(ok, false)
  t.strictSame(strange, [])
  t.equal(points.length, SAMPLE.cells.length)
  t.strictSame(
    points.filter((point) => !point.ok && !point.todo).map((point) => point.name),
    [
      'nodemailer verify strip/strip-ehlo-omit',
      'nodemailer encrypt strip/strip-ehlo-omit',
      'nodemailer verify inject/inject-reply-full',
      'nodemailer verify strip/strip-reply-454',
      'curl verify inject/inject-fragment',
      'curl verify inject/inject-auth',
      'curl verify inject/inject-late',
    ],
  )
  t.strictSame(
    points.filter((point) => point.skip).map((point) => point.skip),
    ['info: accepted after 3 s', 'unsupported: curl knows no DANE', 'not-exercised: never sent STARTTLS'],
  )
  t.strictSame(
    points.filter((point) => point.todo).map((point) => [point.ok, point.todo]),
    [
      [false, 'curl #1234: CN still counts'],
      [true, 'fixed in 7.89?'],
    ],
  )
  t.match(points[3]?.diag, { verdict: 'leak', expected: 'D', outcome: { final: 'delivered-cleartext' } })
  t.match(points[3]?.diag?.proof, ['fired hide-starttls: removed "250-STARTTLS"'])
})

t.test('a run without findings is ok; what the gate fails is not', async (t) => {
  const fine = { ...SAMPLE, cells: SAMPLE.cells.filter((cell) => ['pass', 'flagged', 'info'].includes(cell.verdict)) }
  t.equal(read(format.render(fine)).ok, true)
  t.equal(read(format.render(fine, { failOn: 'flagged' })).ok, false)
})

t.test('hostile texts make no test points and come back as they were', async (t) => {
  const text = format.render(HOSTILE_RECORD)
  const { points, strange } = read(text)
  t.equal(points.length, HOSTILE_RECORD.cells.length)
  t.strictSame(strange, [])
  const block = /---\n([\s\S]*?)\n {2}\.\.\./.exec(text)?.[1] ?? ''
  t.match(parseYaml(block), { verdict: 'leak', reason: HOSTILE, known: { reason: HOSTILE } }, 'by a second YAML parser')
  t.equal(points[1]?.skip, visible(`unsupported: ${HOSTILE}`))
})
