import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { compareRecords } from '../reports/compare.ts'
import { cell, HOSTILE, HOSTILE_RECORD, record, SAMPLE } from '../reports/test/sample-record.ts'
import type { RunRecord } from '../scenarios/record.ts'
import { annotations, onGitHub, tellGitHub, withoutCommands } from './ci.ts'

const LEAK = cell({ verdict: 'leak', reason: '100% sent: AUTH, in clear\nand more' })
const STRICT = { failOn: 'flagged', strict: true } as const

t.test('findings are errors; what only the gate makes one is a warning', async (t) => {
  t.strictSame(annotations({ record: record([LEAK, cell({ scenario: 'a/b' })]), gate: {} }), [
    '::error title=badmx%3A leak in strip/strip-ehlo-omit::nodemailer 10.6.0 under verify: ' +
      '100%25 sent: AUTH, in clear␊and more%0AReproduce: badmx run --client nodemailer --policy verify --only strip/strip-ehlo-omit',
  ])
  const levels = (gate: object) => annotations({ record: SAMPLE, gate }).map((line) => line.split(' in ')[0])
  const errors = ['::error title=badmx%3A leak', '::error title=badmx%3A leak', '::error title=badmx%3A fail']
  t.strictSame(levels({}), errors, 'known deviations and what has no result are none')
  t.strictSame(levels(STRICT), [...errors, '::warning title=badmx%3A flagged', '::warning title=badmx%3A over-strict'])
})

t.test('at most ten of each, the last of which counts the rest', async (t) => {
  const some = (number: number, verdict: 'fail' | 'flagged') =>
    Array.from({ length: number }, (_, at) => cell({ scenario: `strip/${verdict}-${at}`, verdict }))
  const lines = (fails: number, flagged: number) =>
    annotations({ record: record([...some(fails, 'fail'), ...some(flagged, 'flagged')]), gate: STRICT })
  t.equal(lines(10, 10).length, 20)
  t.notMatch(lines(10, 10).join('\n'), 'more finding')
  const many = lines(12, 11)
  t.equal(many.filter((line) => line.startsWith('::error ')).length, 10)
  t.equal(many.filter((line) => line.startsWith('::warning ')).length, 10)
  t.match(many[9], /^::error title=badmx::3 more findings: /)
  t.match(many[19], /^::warning title=badmx::2 more findings: /)
})

t.test('no text of a client leaves its place in a command', async (t) => {
  const texts = [HOSTILE, '::error::x', 'a,file=b::c\r\n::add-mask::d', '%0A::debug::e', '##[add-mask]f']
  for (const text of texts) {
    const hostile = record([cell({ scenario: text, verdict: 'leak', reason: text, reproduce: text, client: text })])
    for (const one of [hostile, HOSTILE_RECORD]) {
      for (const line of annotations({ record: one, gate: STRICT })) {
        const found = /^::(?:error|warning) title=([^:,]*)::(.*)$/s.exec(line)
        t.ok(found, line)
        t.notMatch(line, /[\p{Cc}\p{Cf}]/u)
        t.notMatch(line.replace(/%(?:25|0A|3A|2C)/g, ''), '%', 'every percent sign is escaped')
      }
    }
  }
})

t.test('against a baseline only what is new is annotated', async (t) => {
  const old = record([cell({ scenario: 'a/old', verdict: 'fail' }), cell()])
  const now = record([cell({ scenario: 'a/old', verdict: 'fail' }), LEAK])
  const lines = annotations({ record: now, gate: {}, comparison: compareRecords(old, now) })
  t.match(lines, [/leak in strip\/strip-ehlo-omit/])
  t.equal(lines.length, 1)
  t.strictSame(annotations({ record: now, gate: {}, comparison: compareRecords(now, now) }), [])
})

t.test('commands are off between the two lines of a token', async (t) => {
  t.equal(withoutCommands('::error::x\n', 'abc'), '::stop-commands::abc\n::error::x\n::abc::\n')
  t.equal(withoutCommands('x', 'abc'), '::stop-commands::abc\nx\n::abc::\n')
})

interface Told {
  readonly printed: string
  readonly untold: string | undefined
}

async function told(one: RunRecord, env: Record<string, string>, baseline?: RunRecord): Promise<Told> {
  let printed = ''
  const comparison = baseline === undefined ? undefined : compareRecords(baseline, one)
  const untold = await tellGitHub({ record: one, gate: {}, comparison }, env, (text) => {
    printed += text
  })
  return { printed, untold }
}

t.test('the summary is appended, below 1 MiB', async (t) => {
  const folder = t.testdir({ 'summary.md': 'before\n' })
  const file = join(folder, 'summary.md')
  const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: file }
  t.match(await told(record([LEAK]), env), { printed: /^::error .*\n$/, untold: undefined })
  t.match(await readFile(file, 'utf8'), /^before\n# badmx\n/)
  await told(record([LEAK]), env, record([cell()]))
  t.match(await readFile(file, 'utf8'), /\n# badmx: comparison\n[^]*\n## New leaks\n[^]*\n# badmx\n/)

  await writeFile(file, 'x'.repeat(1024 * 1024 - 500))
  t.match((await told(record([LEAK]), env)).untold, 'no room left')
  t.equal((await readFile(file, 'utf8')).length, 1024 * 1024 - 500, 'and nothing is written')
  const nowhere = { ...env, GITHUB_STEP_SUMMARY: folder }
  t.match(await told(record([LEAK]), nowhere), { printed: /^::error /, untold: /^cannot write the summary/ })
})

t.test('nothing of it elsewhere', async (t) => {
  const file = join(t.testdir(), 'summary.md')
  for (const env of [{}, { GITHUB_ACTIONS: 'false' }, { CI: 'true' }]) {
    t.notOk(onGitHub(env))
    t.strictSame(await told(record([LEAK]), { ...env, GITHUB_STEP_SUMMARY: file }), { printed: '', untold: undefined })
  }
  await t.rejects(readFile(file), { code: 'ENOENT' })
  t.strictSame(await told(record([cell()]), { GITHUB_ACTIONS: 'true' }), { printed: '', untold: undefined })
})
