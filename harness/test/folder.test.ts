/** The folder of a run when it cannot be had, or not alone. */
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { RunRecord } from '../../scenarios/record.ts'
import { badmx, badmxEach } from './program.ts'

const RUN = ['run', '--client', 'reference', '--policy', 'may', '--only', 'strip-ehlo-omit']

t.test('a folder that cannot be had', { timeout: 110_000 }, async (t) => {
  const cwd = t.testdir({ file: 'not a folder', held: { 'events.ndjson': '' }, other: { 'notes.txt': 'mine' } })
  const [below, held, again, deep, beside] = await badmxEach(t, cwd, [
    [...RUN, '--out', 'file/out'],
    [...RUN, '--out', 'held'],
    [...RUN, '--out', 'deep/er/out'],
    [...RUN, '--out', 'deep/er/out'],
    [...RUN, '--out', 'other'],
  ])
  t.match(below, { code: 2, stdout: '', stderr: /^badmx: cannot write file\/out: .*\n {2}.*--out\n$/ })
  t.match(held, { code: 2, stderr: /^badmx: held holds a run already\n/ })
  t.equal(readFileSync(join(cwd, 'held', 'events.ndjson'), 'utf8'), '', 'and is left alone')
  t.equal(again?.code, 0, 'folders above are made')
  t.match(deep, { code: 2, stderr: /holds a run already/ })
  t.equal(beside?.code, 0, 'a folder with other files is fine')
  t.ok(existsSync(join(cwd, 'other', 'notes.txt')))
})

t.test(
  'a place where no folder can be made',
  { skip: existsSync('/proc/self') ? false : 'no /proc here', timeout: 60_000 },
  async (t) => {
    const done = await badmx(t, t.testdir({}), ...RUN, '--out', '/proc/badmx')
    t.match(done, { code: 2, stderr: /^badmx: cannot write \/proc\/badmx: / })
  },
)

t.test(
  'the disk is full',
  { skip: existsSync('/dev/full') ? false : 'no /dev/full here', timeout: 60_000 },
  async (t) => {
    const cwd = t.testdir({})
    mkdirSync(join(cwd, 'out'))
    // The log cannot be a link to /dev/full (it must be new); the report beside its place can.
    symlinkSync('/dev/full', join(cwd, 'out', 'run.json.part'))
    const { code, stderr } = await badmx(t, cwd, ...RUN, '--out', 'out')
    t.equal(code, 2)
    t.match(stderr, /^badmx: cannot write out\/run\.json: the disk is full$/m)
    t.notMatch(stderr, /\n {4}at /)
    t.notOk(existsSync(join(cwd, 'out', 'run.json')), 'there is no half report')
    t.strictSame(readdirSync(join(cwd, 'tmp')), [], 'no temporary file is left')
  },
)

t.test('two runs at once', { timeout: 110_000 }, async (t) => {
  const cwd = t.testdir({})
  const same = await Promise.all([badmx(t, cwd, ...RUN, '--out', 'same'), badmx(t, cwd, ...RUN, '--out', 'same')])
  t.strictSame(same.map(({ code }) => code).sort(), [0, 2], 'one of them gets the folder')
  t.match(same.find(({ code }) => code === 2)?.stderr, /holds a run already|another run is being written there/)
  const different = await Promise.all([badmx(t, cwd, ...RUN), badmx(t, cwd, ...RUN)])
  t.strictSame(
    different.map(({ code }) => code),
    [0, 0],
  )
  const folders = readdirSync(join(cwd, 'badmx-out')).filter((name) => name !== 'latest')
  t.equal(folders.length, 2)
  t.ok(
    folders
      .map((name) => join(realpathSync(cwd), 'badmx-out', name))
      .includes(realpathSync(join(cwd, 'badmx-out', 'latest'))),
  )
  const cells = folders.map(
    (name) => (JSON.parse(readFileSync(join(cwd, 'badmx-out', name, 'run.json'), 'utf8')) as RunRecord).cells,
  )
  t.strictSame(
    cells[0]?.map(({ id, verdict }) => [id, verdict]),
    cells[1]?.map(({ id, verdict }) => [id, verdict]),
    'with the same verdicts',
  )
})
