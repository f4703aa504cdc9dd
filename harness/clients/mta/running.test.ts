import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { SMTPServer } from 'smtp-server'
import t from 'tap'
import type { ClientWord, Delivery } from '../../../scenarios/client.ts'
import type { LogEvent } from '../../../scenarios/events.ts'
import { WireTap } from '../../wire-tap.ts'
import { runningMta } from './running.ts'
import { readNotice, type VisitEnd, visit } from './visit.ts'

const CELL = 'strip/x/may/smtp'
const AT = { address: '127.0.0.1', port: 25 }

const opened = (conn: string): LogEvent => ({
  ...{ type: 'conn', state: 'open', t: 0, cell: CELL, conn, host: 'mx', local: AT, remote: AT, tlsOnConnect: false },
})
const closed = (conn: string): LogEvent => ({
  ...{ type: 'conn', state: 'closed', t: 0, cell: CELL, conn, by: 'client', how: 'fin' },
})
const NOTICE = (action: string): Buffer =>
  Buffer.from(
    `Subject: x\r\n\r\nFinal-Recipient: rfc822; a@b\r\nAction: ${action}\r\nStatus: 5.7.4\r\nDiagnostic-Code: X-Postfix;\r\n TLS is required\r\n`,
  )

function world() {
  const wire = new WireTap()
  const notices = new Set<(notice: Buffer) => void>()
  wire.home = {
    onNotice: (_, hear) => {
      notices.add(hear)
      return () => notices.delete(hear)
    },
  }
  const stop = new AbortController()
  const see = (from = 0): Promise<VisitEnd> =>
    visit(wire, { cell: CELL, sender: 's@dsn', from, deadlineMs: 300, quietMs: 60, signal: stop.signal })
  const bounce = (action: string): void => {
    for (const hear of notices) hear(NOTICE(action))
  }
  return { wire, stop, see, bounce }
}

t.test('an attempt is over when nothing more comes', async (t) => {
  const { wire, see } = world()
  const first = see()
  for (const event of [opened('1'), closed('1')]) wire.hear(event)
  // In clear after TLS, or at the next host: a connection at once.
  setTimeout(() => wire.hear(opened('2')), 30)
  setTimeout(() => wire.hear(closed('2')), 120)
  const began = performance.now()
  t.strictSame(await first, { how: 'over' })
  t.ok(performance.now() - began > 150, 'not between the two')
  t.equal(wire.eventsOf(CELL).length, 4)

  t.strictSame(await see(4), { how: 'none' }, 'what came before is of another attempt')
})

t.test('one that stays connected', async (t) => {
  const { wire, see } = world()
  wire.hear(opened('1'))
  t.strictSame(await see(), { how: 'connected' })
})

t.test('bounces end it, other notices do not', async (t) => {
  const { wire, see, bounce } = world()
  const waiting = see()
  wire.hear(opened('1'))
  bounce('delayed')
  t.equal(await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 50, 'not yet'))]), 'not yet')
  bounce('failed')
  t.strictSame(await waiting, { how: 'notice', notice: { action: 'failed', reason: 'X-Postfix; TLS is required' } })
  t.equal(readNotice(Buffer.from('Hi. This is the qmail-send program.\r\n')).action, undefined)
})

t.test('an interruption ends it', async (t) => {
  const { stop, see } = world()
  const waiting = see()
  stop.abort()
  t.strictSame(await waiting, { how: 'aborted' })
})

t.test('what it says of a server that runs already', async (t) => {
  const taken: string[] = []
  const server = new SMTPServer({
    ...{ name: 'appliance.example', authOptional: true, disabledCommands: ['STARTTLS'], disableReverseLookup: true },
    onRcptTo: ({ address }, _, done) => {
      taken.push(address)
      done(address.startsWith('refused') ? Object.assign(new Error('no relay'), { responseCode: 550 }) : null)
    },
    onData: (stream, _, done) => stream.resume().on('end', () => done(null)),
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  const client = runningMta(`smtp:127.0.0.1:${port}`)
  t.teardown(() => new Promise<void>((resolve) => server.close(() => resolve())))
  t.match(await client?.probe(), { found: true, version: /^appliance\.example ESMTP/ })
  t.match(client?.policies.default, { unsupported: /nobody knows/ })

  const word = async (timeScale: number, to = 'a@b.test', during?: (wire: WireTap) => void): Promise<ClientWord> => {
    const wire = new WireTap()
    const stage = { caFile: '', timeScale, deadlineMs: 200, folder: '', wire }
    const running = await client?.start({ ...stage, foreseen: [{ cell: CELL, policy: 'may', domain: 'b.test' }] })
    const delivery = {
      ...{ cell: CELL, policy: 'may', from: 's@dsn.badmx.test', to: [to], deadlineMs: 200, timeScale },
      message: Buffer.from('Subject: x\r\n\r\ny\r\n'),
    } as unknown as Delivery
    during?.(wire)
    try {
      return (await running?.deliver(delivery, new AbortController().signal)) as ClientWord
    } finally {
      await running?.stop()
    }
  }
  t.match(await word(1), { state: 'unknown', reason: /asked badmx's resolver nothing and connected nowhere/ })
  await t.rejects(word(1, 'refused@b.test'), { message: /did not take the message: .*550/ })
  t.strictSame(taken, ['a@b.test', 'refused@b.test'])
  const connects = (wire: WireTap): void => void setTimeout(() => wire.hear(opened('1')), 100)
  t.match(await word(1, undefined, connects), { state: 'hung' })
  t.match(
    await word(100, undefined, connects),
    { state: 'unsupported', reason: /--time-scale 1/ },
    'limits are its own',
  )
})

t.test('one that does not speak SMTP is not there', async (t) => {
  const server = createServer((socket) => socket.end('HTTP/1.1 400\r\n')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  t.match(await runningMta(`smtp:127.0.0.1:${port}`)?.probe(), { found: false, install: /400/ })
  server.close()
})
