import t from 'tap'
import type { LogEvent } from '../events.ts'
import { LogBuilder } from './log-builder.ts'
import { unexpectedConnections } from './unexpected.ts'

t.test('a connection of an attempt is expected', async (t) => {
  const log = new LogBuilder({ expected: 'C' }).attempt()
  log.conn().greet().deliver().quit()
  t.same(unexpectedConnections(log.says('delivered').done().events), [])
})

t.test('one after the client has spoken is not, unless it has a queue', async (t) => {
  const log = new LogBuilder({ expected: 'C' }).attempt()
  log.conn().greet().deliver().quit()
  log.says('delivered')
  log.conn('late').greet()
  const { events } = log.done()
  t.match(unexpectedConnections(events), [{ conn: 'late', cell: String, detail: /nothing to deliver$/ }])
  const queueing = events.map((event) => (event.type === 'cell' ? { ...event, kind: 'queue' as const } : event))
  t.same(unexpectedConnections(queueing), [])
})

t.test('nor is one to no cell', async (t) => {
  const place = { address: '127.0.0.1', port: 25 }
  const stray: LogEvent = {
    ...{ type: 'conn', state: 'open', t: 7, conn: 'x.1', host: 'mx', tlsOnConnect: false },
    ...{ local: place, remote: { ...place, port: 4711 } },
  } as const
  t.strictSame(unexpectedConnections([stray]), [
    { conn: 'x.1', atMs: 7, detail: 'from 127.0.0.1:4711 to mx, 127.0.0.1:25, where no cell is' },
  ])
})
