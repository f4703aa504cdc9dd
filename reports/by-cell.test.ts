import t from 'tap'
import type { RunBegun } from '../scenarios/events.ts'
import { logOf, logsByCell } from './by-cell.ts'
import { LogBuilder } from './test/sample-log.ts'
import { cell } from './test/sample-record.ts'

t.test('each cell has its events, and the run of its shard', async (t) => {
  const run = (shard: string): RunBegun => ({
    ...{ type: 'run', t: 0, schema: 'badmx/events/1', badmx: '0.1.0', seed: 1, startedAt: '2026-01-02T03:04:05.678Z' },
    ...{ timeScale: 1, shard, node: '20', openssl: '3', clients: [], plan: '', cells: [] },
  })
  const [a, b] = [new LogBuilder('a').open('c1').close('c1'), new LogBuilder('b').open('c1')]
  const cells = logsByCell([run('1/2'), ...a.events, run('2/2'), ...b.events])
  t.strictSame([...cells.keys()], ['a', 'b'])
  t.strictSame(cells.get('a')?.events, a.events)
  t.equal(cells.get('a')?.run?.shard, '1/2')
  t.equal(cells.get('b')?.run?.shard, '2/2')
  t.equal(logsByCell(a.events).get('a')?.run, undefined, 'a log without its beginning')
})

t.test('of two tries a cell has the one that its record is of', async (t) => {
  const first = new LogBuilder('a').open('c1').close('c1')
  const second = new LogBuilder('a', { alone: true }).open('c2')
  const logs = logsByCell([...first.events, ...second.events])
  t.strictSame(logs.get('a')?.spoilt, first.events)
  const eventsOf = (again: Parameters<typeof cell>[0]) => logOf(logs, cell({ id: 'a', ...again })).events
  t.strictSame(eventsOf({ again: { spoilt: 'by another', counts: 'second' } }), second.events)
  t.strictSame(eventsOf({ again: { spoilt: 'by another', counts: 'first' } }), first.events)
  t.strictSame(logOf(logs, cell({ id: 'b' })).events, [], 'none')
})
