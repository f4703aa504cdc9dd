/** `badmx compare`, `badmx run --baseline` and completion, as a person would call them. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Comparison } from '../../reports/compare.ts'
import { format } from '../../reports/formats/json.ts'
import { cell, record } from '../../reports/test/sample-record.ts'
import type { CellRecord, RunRecord, Verdict } from '../../scenarios/record.ts'
import { badmx, badmxEach } from '../test/program.ts'

const run = (...cells: CellRecord[]): string => format.render(record(cells))
const LEAK = run(cell({ verdict: 'leak' }))

t.test('exit codes, inputs and outputs', { timeout: 60_000 }, async (t) => {
  const cwd = t.testdir({
    'good.json': run(cell()),
    leak: { 'run.json': LEAK },
    'other.json': run(cell({ client: 'curl' })),
    'broken.json': '{"schema":',
    'odd.json': JSON.stringify({ ...record([]), interrupted: 'no' }),
    empty: {},
  })
  const lines: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['good.json', 'good.json'], 0, /^1 cell compared: unchanged 1\.\n\nCompared: nothing worse \(exit code 0\)/],
    [['good.json', 'leak'], 1, /\nNew leaks\n {2}nodemailer 10\.6\.0\n {2}▲ leak /],
    [['leak', 'good.json'], 0, /\nFixed\n/],
    [['good.json', 'leak', '--markdown'], 1, /^# badmx: comparison\n/],
    [['good.json', 'leak', '--json'], 1, /^\{\n {2}"schema": "badmx\/comparison\/1"/],
    [['good.json', 'other.json'], 2, /no cell is in both runs/],
    [['good.json', 'nowhere'], 2, /^badmx: cannot read nowhere: there is no such file\n/],
    [['empty', 'good.json'], 2, /^badmx: cannot read empty\/run\.json: there is no such file\n/],
    [['good.json', 'broken.json'], 2, /^badmx: broken\.json is not JSON: .*\n {2}want run\.json/],
    [['odd.json', 'good.json'], 2, /^badmx: odd\.json is no run record: interrupted: .*\n {2}want run\.json/],
    [['good.json'], 2, /^badmx: Not enough non-option arguments/],
    [['good.json', 'leak', '--json', '--markdown'], 2, /mutually exclusive/],
  ]
  const results = await badmxEach(
    t,
    cwd,
    lines.map(([words]) => ['compare', ...words]),
  )
  for (const [at, [words, code, said]] of lines.entries()) {
    const ended = results[at]
    t.equal(ended?.code, code, `${words.join(' ')}: exit code`)
    t.match(`${ended?.stdout}${ended?.stderr}`, said, words.join(' '))
    t.notMatch(ended?.stderr, 'a bug of badmx')
  }
  const json = JSON.parse(results[4]?.stdout ?? '') as Comparison
  t.match(json, { exitCode: 1, changes: [{ kind: 'new-leak', old: { verdict: 'pass' }, new: { verdict: 'leak' } }] })
})

t.test('a baseline forgives what it has, and nothing else', { timeout: 100_000 }, async (t) => {
  const cwd = t.testdir()
  // Nodemailer begins TLS before the reply that follows what was injected: a failure that this test counts on.
  const words = ['run', '--client', 'nodemailer', '--only', 'inject-before-starttls-reply', '--policy', 'may']
  const first = await badmx(t, cwd, ...words, '--out', 'first')
  t.match(first, { code: 1, stdout: /\nResult: findings \(exit code 1\)/ })

  const forgiven = await badmx(t, cwd, ...words, '--baseline', 'first')
  t.match(forgiven, {
    code: 0,
    stdout: /\nCompared: nothing worse \(exit code 0\): .*1 finding as before, not counted/,
  })
  t.notMatch(forgiven.stdout, '\nResult: ', 'there is one result, and it is that of the comparison')

  const passed = (await readRecord(join(cwd, 'first', 'run.json'))).cells.map((one) =>
    one.role === 'scenario' ? { ...one, verdict: 'pass' as Verdict } : one,
  )
  await writeFile(join(cwd, 'better.json'), run(...passed))
  const worse = await badmx(t, cwd, ...words, '--baseline', 'better.json')
  t.match(worse, { code: 1, stdout: /\nRegressions\n[^]*\nCompared: worse than before \(exit code 1\)/ })

  const [missing] = await badmxEach(t, cwd, [[...words, '--baseline', 'nowhere']])
  t.match(missing, { code: 2, stdout: '', stderr: /cannot read nowhere/ })
})

async function readRecord(file: string): Promise<RunRecord> {
  return JSON.parse(await readFile(file, 'utf8')) as RunRecord
}

t.test('completion knows commands and options', { timeout: 30_000 }, async (t) => {
  const complete = (...words: string[]) => badmx(t, t.testdir(), ...words)
  t.match(await complete('completion'), { code: 0, stdout: /-begin-badmx-completions-/ })
  t.equal((await complete('--get-yargs-completions', 'badmx', 'comp')).stdout.split('\n').includes('compare'), true)
  t.match((await complete('--get-yargs-completions', 'badmx', 'run', '--ba')).stdout, /^--baseline$/m)
})
