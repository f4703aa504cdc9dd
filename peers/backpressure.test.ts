/**
 * A proxy between a fast sender and a slow reader makes the fast one wait: what it holds does not grow with what is sent.
 * In both directions; in clear, where TLS is terminated on both sides, and where it is passed through.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import t from 'tap'
import { peer, proxy } from './peer.ts'
import { Client } from './testing/client.ts'
import { certificate, Log } from './testing/log.ts'

const MIB = 1024 * 1024
/** Octets of message text; fewer through TLS, which costs time and changes nothing. */
const LENGTH = { clear: 100 * MIB, tls: 60 * MIB }

/** Turns of the event loop that the reader waits after each chunk: the sender could send many in that time. */
const PAUSE_TURNS = 2

/** Octets that may be under way between sender and reader: what the system's four socket buffers hold, and some. */
const UNDER_WAY = 24 * MIB

/** Reads nothing for a while. */
function rest(stream: Socket): void {
  stream.pause()
  let turns = PAUSE_TURNS
  const wait = (): void => void (turns-- > 0 ? setImmediate(wait) : stream.resume())
  wait()
}

interface Sink {
  readonly port: number
  /** Octets of message text that have come. */
  readonly progress: { length: number }
  /** The final dot is there. */
  readonly received: Promise<void>
}

/** A server that reads a message slowly. */
async function slowServer(t: { teardown(what: () => void): void }, context: SecureContext): Promise<Sink> {
  const sockets = new Set<Socket>()
  const server = createServer()
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const progress = { length: -1 }
  const received = new Promise<void>((resolve) => {
    server.on('connection', (raw) => {
      sockets.add(raw)
      raw.on('error', () => {})
      raw.write('220 mx\r\n')
      const talk = (stream: Socket): void => {
        stream.on('data', (chunk: Buffer) => {
          const text = chunk.subarray(0, 20).toString('latin1')
          if (progress.length >= 0) {
            progress.length += chunk.length
            if (chunk.subarray(-5).equals(Buffer.from('\r\n.\r\n'))) {
              stream.write('250 ok\r\n')
              resolve()
              return
            }
            rest(stream)
          } else if (text.startsWith('EHLO')) stream.write('250-mx\r\n250 STARTTLS\r\n')
          else if (text.startsWith('STARTTLS')) {
            stream.removeAllListeners('data')
            stream.write('220 go\r\n')
            talk(new TLSSocket(stream, { isServer: true, secureContext: context }).on('error', () => {}))
          } else if (text.startsWith('DATA')) {
            progress.length = 0
            stream.write('354 go\r\n')
          } else stream.write('250 ok\r\n')
        })
      }
      talk(raw)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, progress, received }
}

/** Sends the message text as fast as it is taken. Most that this process grew meanwhile and that was under way, in octets. */
async function flood(
  stream: Socket,
  length: number,
  progress?: { readonly length: number },
): Promise<{ growth: number; underWay: number }> {
  const block = Buffer.alloc(64 * 1024, 'octets of a message\r\n')
  const before = process.memoryUsage.rss()
  const most = { growth: 0, underWay: 0 }
  for (let sent = 0; sent < length; sent += block.length) {
    if (!stream.write(block)) await once(stream, 'drain')
    most.growth = Math.max(most.growth, process.memoryUsage.rss() - before)
    if (progress !== undefined) most.underWay = Math.max(most.underWay, sent - progress.length)
  }
  stream.write('\r\n.\r\n')
  return most
}

t.test('a long message through a proxy to a slow server, in clear and intercepted', { timeout: 60_000 }, async (t) => {
  const good = await certificate()
  const context = createSecureContext({ cert: good.certPem, key: good.keyPem })
  for (const how of ['clear', 'tls'] as const) {
    const sink = await slowServer(t, context)
    const log = new Log()
    const man = await proxy([], '127.0.0.1', sink.port, {
      log: log.sink,
      ...(how === 'tls' ? { intercept: { certificate: good, toServer: 'tls' } } : {}),
    })
    t.teardown(() => man.close())
    const client = await Client.connect(man.port)
    let stream: Socket = client.socket
    if (how === 'tls') stream = await client.secure()
    else await client.reply()
    for (const line of ['EHLO client', 'MAIL FROM:<a@badmx.test>', 'RCPT TO:<b@badmx.test>', 'DATA'])
      await client.ask(line)
    const { growth, underWay } = await flood(stream, LENGTH[how], sink.progress)
    t.match(await client.reply(), /^250 /, how)
    await sink.received
    t.ok(sink.progress.length >= LENGTH[how], 'all of it arrived')
    t.ok(underWay < UNDER_WAY, `${how}: ${Math.round(underWay / MIB)} MiB were under way at most`)
    t.ok(growth < 60 * MIB, `${how}: grew by ${Math.round(growth / MIB)} MiB`)
    client.reset()
    const logged = log.of('bytes').reduce((sum, { data }) => sum + data.length, 0)
    t.ok(logged < MIB, `and the log by ${logged} octets`)
  }
})

t.test('a server that floods a slow client, STARTTLS passed through', { timeout: 60_000 }, async (t) => {
  const server = createServer()
  t.teardown(() => void server.close())
  const flooded = new Promise<{ underWay: number }>((resolve, reject) => {
    server.on('connection', (raw) => {
      t.teardown(() => void raw.destroy())
      raw.on('error', reject)
      raw.write('220 mx\r\n')
      raw.on('data', (chunk: Buffer) => {
        raw.write(chunk.includes('STARTTLS') ? '220 go\r\n' : '250 ok\r\n')
        if (chunk.includes('STARTTLS')) flood(raw, LENGTH.tls, progress).then(resolve, reject)
      })
    })
  })
  const progress = { length: 0 }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const man = await proxy([], '127.0.0.1', (server.address() as AddressInfo).port)
  t.teardown(() => man.close())
  const client = await Client.connect(man.port)
  await client.reply()
  await client.ask('EHLO client')
  client.socket.removeAllListeners('data')
  let last = 0
  client.socket.on('data', (chunk: Buffer) => {
    progress.length += chunk.length
    last = chunk.at(-1) ?? 0
    rest(client.socket)
  })
  client.send('STARTTLS\r\n')
  const { underWay } = await flooded
  t.ok(underWay < UNDER_WAY, `${Math.round(underWay / MIB)} MiB were under way at most`)
  while (progress.length < LENGTH.tls || last !== 0x0a) await once(client.socket, 'data')
  t.pass('all of it arrived')
  client.reset()
})

t.test('100 MiB to a peer', { timeout: 60_000 }, async (t) => {
  const log = new Log()
  const mx = await peer([], { log: log.sink })
  t.teardown(() => mx.close())
  const client = await Client.connect(mx.port)
  await client.reply()
  for (const line of ['EHLO client', 'MAIL FROM:<a@badmx.test>', 'RCPT TO:<b@badmx.test>', 'DATA'])
    await client.ask(line)
  const { growth } = await flood(client.socket, LENGTH.clear)
  t.match(await client.reply(), /^250 /)
  t.ok(growth < 60 * MIB, `grew by ${Math.round(growth / MIB)} MiB`)
  client.reset()
})
