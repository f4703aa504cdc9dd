import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import type { BytesCrossed } from './events.ts'
import { type Peer, peer, type Stacks } from './peer.ts'
import { Log } from './testing/log.ts'

const OCTETS = 48 * 1024 * 1024
/** What both kernels and the driver may hold of a connection that nobody reads. */
const IN_FLIGHT = 16 * 1024 * 1024

interface Test {
  teardown(what: () => Promise<void> | void): void
}

async function serve(t: Test, stack: Stacks): Promise<{ mx: Peer; log: Log }> {
  const log = new Log()
  const mx = await peer(stack, { log: log.sink })
  t.teardown(() => mx.close())
  return { mx, log }
}

async function open(t: Test, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** Octets that the log has of a connection in one direction. */
function recorded(log: Log, conn: string, direction: BytesCrossed['direction']): number {
  return log.events
    .filter(
      (event): event is BytesCrossed => event.type === 'bytes' && event.conn === conn && event.direction === direction,
    )
    .reduce((sum, { data, elided }) => sum + (elided?.length ?? data.length), 0)
}

t.test('a sender without end makes no more than its reader takes', { timeout: 30_000 }, async (t) => {
  const { mx, log } = await serve(t, [{ use: 'flood-reply', with: { octets: OCTETS, then: 'close' } }])
  const idle = await open(t, mx.port)
  idle.pause().write('EHLO client.badmx.test\r\n')
  const reader = await open(t, mx.port)
  let taken = 0
  reader.on('data', (octets: Buffer) => {
    taken += octets.length
  })
  reader.write('EHLO client.badmx.test\r\n')
  await once(reader, 'end')
  t.ok(taken >= OCTETS, 'one that reads gets all of it')
  await mx.close()
  const [first = '', second = ''] = log.events.flatMap((event) =>
    event.type === 'conn' && event.state === 'open' ? [event.conn] : [],
  )
  t.ok(recorded(log, first, 'out') < IN_FLIGHT, 'one that does not read gets what fits in the buffers')
  t.ok(recorded(log, second, 'out') >= OCTETS, 'and the log knows the difference')
  t.ok(log.events.length < 40, 'in a few events')
})

t.test('stop-reading leaves the content with the client', { timeout: 30_000 }, async (t) => {
  const { mx, log } = await serve(t, ['stop-reading'])
  const socket = await open(t, mx.port)
  const dialogue = ['EHLO client.badmx.test', 'MAIL FROM:<a@badmx.test>', 'RCPT TO:<b@badmx.test>', 'DATA']
  let heard = ''
  const go = new Promise<void>((resolve) => {
    socket.on('data', (octets: Buffer) => {
      heard += octets.toString('latin1')
      if (/^354 /m.test(heard)) resolve()
      else if (/^\d{3} .*\r\n$/m.test(heard.slice(-200))) {
        const next = dialogue.shift()
        if (next !== undefined) socket.write(`${next}\r\n`)
      }
    })
  })
  await go
  socket.write(Buffer.alloc(OCTETS, 'x'))
  const other = await open(t, mx.port)
  const [banner] = (await once(other, 'data')) as [Buffer]
  t.match(banner.toString('latin1'), /^220 /, 'the peer is alive')
  t.ok(socket.writableLength > 0, 'what was written is still there')
  await mx.close()
  t.ok(recorded(log, 'mx.1', 'in') < IN_FLIGHT)
})
