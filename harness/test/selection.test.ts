/** Which cells a run has, and which of them fail it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { RunRecord } from '../../scenarios/record.ts'
import { badmxEach } from './program.ts'

const REFERENCE = ['run', '--client', 'reference', '--policy', 'may']

/** A client that never speaks TLS, as one would be written in a hurry: under `encrypt` it leaks. */
const CLEAR = `
import { connect } from 'node:net'
const [host, port, from, to] = process.argv.slice(2)
const lines = ['EHLO client.test', 'MAIL FROM:<' + from + '>', 'RCPT TO:<' + to + '>', 'DATA', 'Subject: x\\r\\n\\r\\nx\\r\\n.', 'QUIT']
const socket = connect(Number(port), host)
let text = ''
socket.on('data', (chunk) => {
  text += chunk
  if (!/^\\d{3} [^\\n]*\\n$/m.test(text)) return
  const code = Number(text.slice(0, 3))
  text = ''
  if (code >= 400) process.exit(1)
  socket.write((lines.shift() ?? 'NOOP') + '\\r\\n')
  if (lines.length === 0) process.exit(0)
})
socket.on('error', () => process.exit(1))
`

function scenarioCells(folder: string): string[] {
  const { cells } = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as RunRecord
  return cells
    .filter(({ role }) => role === 'scenario')
    .map(({ id }) => id)
    .sort()
}

function planOf(folder: string): string {
  const [first] = readFileSync(join(folder, 'events.ndjson'), 'utf8').split('\n', 1)
  return (JSON.parse(first ?? '') as { plan: string }).plan
}

t.test('seeds, shards and repetition', { timeout: 120_000 }, async (t) => {
  const cwd = t.testdir({})
  const only = ['--only', 'strip/strip-ehlo-4*']
  const variants = [[], [], ['--seed', '2'], ['--repeat', '2'], ['--shard', '1/2'], ['--shard', '2/2']]
  const done = await badmxEach(
    t,
    cwd,
    variants.map((more, at) => [...REFERENCE, ...only, ...more, '--out', `out${at}`]),
  )
  for (const { code, stderr } of done) t.match({ code, stderr }, { code: 0 })
  const [a, b, c, repeated, ...shards] = done.map((_, at) => join(cwd, `out${at}`))
  if (a === undefined || b === undefined || c === undefined || repeated === undefined) throw new Error('unreachable')
  t.equal(planOf(a), planOf(b), 'the same seed is the same plan')
  t.not(planOf(a), planOf(c), 'another seed is another')
  t.strictSame(scenarioCells(a), ['strip/strip-ehlo-421/may/reference', 'strip/strip-ehlo-451/may/reference'])
  t.strictSame(
    scenarioCells(repeated),
    scenarioCells(a).flatMap((id) => [id, `${id}#2`]),
  )
  t.strictSame(shards.flatMap(scenarioCells).sort(), scenarioCells(a), 'the shards together are the whole')
  for (const shard of shards) t.equal(planOf(shard), planOf(a), 'and are of one plan')
})

t.test('what fails a run', { timeout: 120_000 }, async (t) => {
  const clear = `${process.execPath} clear.mjs {host} {port} {from} {to} {policy}`
  const cwd = t.testdir({
    'clear.mjs': CLEAR,
    'known.yaml': "- { client: node, cell: '*', verdict: leak, reason: never speaks TLS }\n",
    'stale.yaml': '- { client: reference, cell: strip/strip-ehlo-omit/may, verdict: leak, reason: mended long ago }\n',
    'bad.yaml': '- { client: node, cell: x, verdikt: leak, reason: y }\n',
  })
  const command = clear.replace('clear.mjs', join(cwd, 'clear.mjs'))
  const leaking = ['run', '--command', command, '--policy', 'encrypt']
  const refusing = ['run', '--command', 'false {host} {port}', '--policy', 'may', '--only', 'ctl-no-tls-peer']
  const more = ['--only', 'strip-ehlo-omit']
  const [first, again, known, judged, stale, bad, lax, strict] = await badmxEach(t, cwd, [
    [...leaking, ...more],
    [...leaking, '--only', 'strip-ehlo-omit,strip-ehlo-421', '--last-failed', '--out', 'again'],
    [...leaking, ...more, '--known', 'known.yaml', '--out', 'known'],
    ['judge', 'known', '--known', 'known.yaml'],
    [...REFERENCE, ...more, '--known', 'stale.yaml', '--out', 'stale'],
    [...REFERENCE, ...more, '--known', 'bad.yaml', '--out', 'bad'],
    [...refusing, '--out', 'refusing'],
    [...refusing, '--strict', '--out', 'strict'],
  ])
  t.match(first, { code: 1, stdout: /▲ leak +strip\/strip-ehlo-omit under encrypt/ })
  t.equal(again?.code, 1)
  t.strictSame(
    scenarioCells(join(cwd, 'again')),
    ['strip/strip-ehlo-omit/encrypt/node'],
    'only what failed is run again',
  )
  t.match(known, { code: 0, stdout: /\d+ known deviations? not counted/ }, 'a known deviation does not fail the run')
  t.match(judged, { code: 0, stdout: /not counted/ }, 'nor its judgement later')
  t.match(stale, { code: 0, stdout: /1 known deviation did not come/ }, 'an unexpected pass is shown')
  t.match(
    bad,
    { code: 2, stderr: /bad\.yaml:1:\d+: .*verdikt.*did you mean "verdict"/ },
    'a mistake in the list has its place',
  )
  t.match(lax, { code: 0, stdout: /over-strict/ }, 'a client that refuses what it may deliver is safe')
  t.match(strict, { code: 1, stdout: /over-strict/ }, 'but fails a strict run')
})

t.test('nothing failed', { timeout: 60_000 }, async (t) => {
  const line = [...REFERENCE, '--only', 'strip-ehlo-omit']
  const [fine, again] = await badmxEach(t, t.testdir({}), [line, [...line, '--last-failed']])
  t.equal(fine?.code, 0)
  t.match(again, { code: 2, stderr: /no cell failed in/ })
})
