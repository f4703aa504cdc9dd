/** Shards of a run, merged, as a user does it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { RunRecord } from '../../scenarios/record.ts'
import { badmxEach } from './program.ts'

t.test('two shards give the record of the whole run', { timeout: 120_000 }, async (t) => {
  const cwd = t.testdir({})
  const choice = ['--client', 'reference', '--only', 'strip/strip-ehlo-omit,strip/strip-reply-*', '--policy', 'may']
  const run = (name: string, ...more: string[]) => ['run', ...choice, '--out', name, ...more]
  const ended = await badmxEach(t, cwd, [
    run('whole'),
    run('first', '--shard', '1/2'),
    run('second', '--shard', '2/2'),
    run('other', '--shard', '2/2', '--seed', '2'),
    ['merge', 'first', 'second', '--out', 'merged'],
    ['merge', 'first', 'merged', '--out', 'twice'],
    ['merge', 'first', 'other', '--out', 'strange'],
  ])
  const verdicts = async (name: string): Promise<string[]> => {
    const record = JSON.parse(await readFile(join(cwd, name, 'run.json'), 'utf8')) as RunRecord
    return record.cells.map(({ id, verdict }) => `${id} ${verdict}`)
  }
  const [whole, first] = [await verdicts('whole'), await verdicts('first')]
  t.ok(first.length < whole.length)
  t.strictSame(await verdicts('merged'), whole)
  t.match(ended[4], { code: ended[0]?.code, stdout: /merged\/run\.json/ })
  t.match(ended[5], { code: 2, stderr: /are both the shard 1\/2/ })
  t.match(ended[6], { code: 2, stderr: /is of another plan than/ })
})
