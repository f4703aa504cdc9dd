/** The test runner itself: what it counts, what it removes, what it says is missing. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { Parser } from 'tap-parser'
import { packageRoot } from '../../peers/package-root.ts'

interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}
interface Count {
  countTap(
    parser: typeof Parser,
    onFile?: (name: string, found: { failures: readonly { place: string }[] }) => void,
  ): { parser: Parser; counts: Counts }
  countPages(report: object): Counts & { failures: readonly { place: string }[]; skips: readonly { reason: string }[] }
  lastLine(counts: Counts): string
}
interface Build {
  removeStale(root: string, dist: string): string[]
}
interface Programs {
  missing(programs: readonly { package: string; probe: readonly string[] }[]): string[]
}

/** The runner works before anything is compiled, so it is plain JavaScript that the compiler never sees. */
async function load<Module>(file: string): Promise<Module> {
  return (await import(pathToFileURL(join(packageRoot(), 'harness/check', file)).href)) as Module
}

const { countPages, countTap, lastLine } = await load<Count>('count.mjs')
const { removeStale } = await load<Build>('build.mjs')
const { missing } = await load<Programs>('programs.mjs')

function count(...lines: string[]): { counts: Counts; failures: string[] } {
  const failures: string[] = []
  const { parser, counts } = countTap(Parser, (_name, found) =>
    failures.push(...found.failures.map(({ place }) => place)),
  )
  parser.end(`TAP version 14\n${lines.join('\n')}\n`)
  return { counts, failures }
}

t.test('assertions are counted, the lines that close a subtest are not', async (t) => {
  const { counts, failures } = count(
    '# Subtest: a.test.js',
    '    # Subtest: inner',
    '        ok 1 - one',
    '        not ok 2 - two',
    '        ok 3 - three # SKIP no such program',
    '        1..3',
    '    not ok 1 - inner',
    '    ok 2 - four',
    '    ok 3 - later # TODO',
    '    1..3',
    'not ok 1 - a.test.js',
    '# Subtest: b.test.js',
    '    ok 1 - five',
    '    1..1',
    'ok 2 - b.test.js',
    '1..2',
  )
  t.same(counts, { passed: 3, failed: 1, skipped: 2 })
  t.same(failures, ['a.test.js > inner > two'])
})

t.test('a buffered subtest counts like any other', async (t) => {
  const { counts } = count('ok 1 - a.test.js {', '    ok 1 - one', '    ok 2 - two', '    1..2', '}', '1..1')
  t.same(counts, { passed: 2, failed: 0, skipped: 0 })
})

t.test('a file that fails without a failing assertion is one failure', async (t) => {
  const { counts, failures } = count(
    '# Subtest: crash.test.js',
    '    ok 1 - one',
    '    1..1',
    'not ok 1 - crash.test.js',
    '# Subtest: nothing.test.js',
    '    1..0 # no tests found',
    'not ok 2 - nothing.test.js',
    '1..2',
  )
  t.same(counts, { passed: 1, failed: 2, skipped: 0 })
  t.same(failures, ['crash.test.js', 'nothing.test.js'])
})

t.test('a file that is skipped as a whole is one skip, and no pass', async (t) => {
  const { counts } = count(
    '# Subtest: a.test.js',
    '    1..0 # SKIP no openssl',
    'ok 1 - a.test.js # SKIP no openssl',
    '1..1',
  )
  t.same(counts, { passed: 0, failed: 0, skipped: 1 })
})

t.test('tests of pages are counted; one that passed at the second try has failed', async (t) => {
  const spec = (title: string, status: string, annotations: object[] = []): object => ({
    title,
    tests: [{ status, annotations, results: [{ errors: [] }] }],
  })
  const report = {
    suites: [
      {
        title: 'report.spec.js',
        specs: [spec('one', 'expected'), spec('two', 'unexpected'), spec('three', 'flaky')],
        suites: [
          {
            title: 'inner',
            specs: [spec('four', 'skipped', [{ type: 'skip', description: 'no browser' }])],
            suites: [],
          },
        ],
      },
    ],
    errors: [{ message: 'a file that does not load' }],
  }
  const { passed, failed, skipped, failures, skips } = countPages(report)
  t.same({ passed, failed, skipped }, { passed: 1, failed: 3, skipped: 1 })
  t.same(
    failures.map(({ place }) => place),
    ['report.spec.js > two', 'report.spec.js > three', 'pages'],
  )
  t.same(
    skips.map(({ reason }) => reason),
    ['no browser'],
  )
})

t.test('the last line', async (t) => {
  t.equal(lastLine({ passed: 3, failed: 0, skipped: 0 }), '3 passed, 0 failed')
  t.equal(lastLine({ passed: 3, failed: 1, skipped: 2 }), '3 passed, 1 failed, 2 skipped')
})

t.test('what was compiled from a source that is gone is removed, and nothing else', async (t) => {
  const root = t.testdir({ peers: { 'here.ts': '', 'persona.yaml': '' } })
  const dist = join(root, 'dist')
  mkdirSync(join(dist, 'peers'), { recursive: true })
  const names = [
    'here.js',
    'here.d.ts',
    'here.js.map',
    'persona.js',
    'gone.test.js',
    'gone.test.d.ts',
    'gone.test.js.map',
    'data.json',
  ]
  for (const name of names) writeFileSync(join(dist, 'peers', name), '')
  t.same(removeStale(root, dist), ['peers/gone.test.d.ts', 'peers/gone.test.js', 'peers/gone.test.js.map'])
  t.same(
    names.filter((name) => existsSync(join(dist, 'peers', name))),
    ['here.js', 'here.d.ts', 'here.js.map', 'persona.js', 'data.json'],
  )
  t.same(removeStale(root, join(root, 'nowhere')), [])
})

t.test('a missing program is found missing, and one that works is not', async (t) => {
  const programs = [
    { package: 'nodejs', probe: [process.execPath, '--version'] },
    { package: 'no-such', probe: ['badmx-no-such-program', '--version'] },
    { package: 'broken', probe: [process.execPath, '-e', 'process.exit(1)'] },
  ]
  t.same(missing(programs), ['no-such', 'broken'])
})
