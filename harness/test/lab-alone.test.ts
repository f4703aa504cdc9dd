/**
 * An MTA that dies of one message, with others in hand: OpenSMTPD 6.8, whose heap octets behind the 220 to STARTTLS corrupt, each
 * time. Each cell has its own verdict nevertheless.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { RunRecord } from '../../scenarios/record.ts'
import { sharedLayers } from '../lab/testing/visit.ts'
import { badmx } from './program.ts'

const layers = await sharedLayers('opensmtpd')
const skip = typeof layers === 'string' ? { skip: layers } : {}

const DEADLY = 'inject/inject-reply-single'
/** What OpenSMTPD does in each beside it. */
const OTHERS = {
  'strip/strip-reply-554': 'delivered-cleartext',
  'strip/strip-ehlo-omit': 'delivered-cleartext',
  'tls/tls-alert-handshake-failure': 'delivered-cleartext',
  'inject/inject-split-segment': 'delivered-cleartext',
}

t.test('an MTA that dies of one of the messages that it has in hand', { ...skip, timeout: 120_000 }, async (t) => {
  const cwd = t.testdir({})
  const only = [DEADLY, ...Object.keys(OTHERS)].join(',')
  const words = ['--client', 'opensmtpd', '--only', only, '--policy', 'may', '--repeat', '2', '--no-capture']
  const done = await badmx(t, cwd, 'run', ...words, '--out', 'r')
  t.equal(done.code, 1, done.stderr + done.stdout)
  const record = JSON.parse(readFileSync(join(cwd, 'r', 'run.json'), 'utf8')) as RunRecord
  const cells = (name: string) => record.cells.filter(({ scenario }) => scenario === name)

  for (const { id, verdict, reason } of record.cells) t.not(verdict, 'error', `${id}: ${reason}`)
  for (const cell of cells(DEADLY))
    t.match(cell, { verdict: 'fail', outcome: { final: 'crashed' } }, `${cell.id}: ${cell.reason}`)
  for (const [name, first] of Object.entries(OTHERS)) {
    t.equal(cells(name).length, 2)
    for (const cell of cells(name)) t.match(cell, { verdict: 'pass', outcome: { first } }, `${cell.id}: ${cell.reason}`)
  }

  const twice = record.cells.filter(({ again }) => again !== undefined)
  t.ok(twice.length >= 2, 'the two that kill it, whatever else was in hand')
  for (const { again } of twice) t.match(again, { counts: 'second', spoilt: /ended by itself .* cells in hand/ })
  t.match(done.stdout, new RegExp(`run again, each alone: ${twice.length}\\b`))
  t.match(done.stderr, new RegExp(`cells, .* s, ${twice.length} run again, each alone$`, 'm'))

  const judged = await badmx(t, cwd, 'judge', 'r/events.ndjson', '--json')
  t.strictSame(
    (JSON.parse(judged.stdout) as RunRecord).cells.map(({ id, verdict, again }) => [id, verdict, again]),
    record.cells.map(({ id, verdict, again }) => [id, verdict, again]),
  )
  const shown = await badmx(t, cwd, 'show', 'r', cells(DEADLY)[0]?.id ?? '')
  t.match(shown.stdout, /^First of two tries, spoilt\n[^]*■ error [^]*^Second try, alone, which counts\n[^]*✗ fail /m)
})
