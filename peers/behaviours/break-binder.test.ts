import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import t from 'tap'
import { peer } from '../peer.ts'
import { Client } from '../testing/client.ts'
import { certificate, Log } from '../testing/log.ts'
import type { Bytes, WireEvent } from '../wire/units.ts'
import { behaviour } from './break-binder.ts'
import { play, show } from './playbook.ts'

const client = (bytes: Buffer): Bytes => ({ type: 'bytes', from: 'client', bytes })
const server = (text: string): Bytes => ({ type: 'bytes', from: 'server', bytes: Buffer.from(text) })
const DIALOGUE: readonly WireEvent[] = [server('220 mx\r\n'), client(Buffer.from('STARTTLS\r\n')), server('220 go\r\n')]

/** A session of the peer, as a client keeps it. */
async function sessionOf(port: number): Promise<Buffer> {
  const visitor = await Client.connect(port)
  await visitor.reply()
  await visitor.ask('EHLO client')
  await visitor.ask('STARTTLS')
  const kept: Buffer[] = []
  const stream = await visitor.startTls()
  stream.on('session', (session: Buffer) => kept.push(session))
  await visitor.ask('EHLO client')
  await visitor.ask('QUIT')
  const [session] = kept
  if (session === undefined) throw new Error('the peer gave no ticket')
  return session
}

/** The ClientHello of Node's client, with or without a session. */
async function helloWith(session: Buffer | undefined): Promise<Buffer> {
  const listener = createServer()
  await new Promise<void>((listening) => listener.listen(0, '127.0.0.1', listening))
  const { port } = listener.address() as { port: number }
  const offered = session === undefined ? {} : { session }
  const visitor = connectTls({ port, host: '127.0.0.1', servername: 'mx.badmx.test', ...offered }).on('error', () => {})
  const [socket] = (await once(listener, 'connection')) as [Socket]
  const [hello] = (await once(socket, 'data')) as [Buffer]
  visitor.destroy()
  socket.destroy()
  listener.close()
  return hello
}

t.test('the octets', async (t) => {
  const mx = await peer([], { tls: { certificate: await certificate() } })
  t.teardown(() => mx.close())
  const hello = await helloWith(await sessionOf(mx.port))
  const sent = (events: readonly WireEvent[]): Buffer =>
    Buffer.concat(
      play(behaviour, {}, events).flatMap((output) =>
        output.type === 'bytes' && output.from === 'client' ? [output.bytes] : [],
      ),
    )
  const flipped = Buffer.from(hello)
  const last = hello.length - 1
  flipped[last] = (flipped[last] ?? 0) ^ 1

  t.test('the last octet of the binder is another, on connect and behind the 220', async (t) => {
    t.same(sent([client(hello)]), flipped)
    t.same(sent([...DIALOGUE, client(hello)]), Buffer.concat([Buffer.from('STARTTLS\r\n'), flipped]))
    t.same(show(play(behaviour, {}, [client(hello)])).slice(0, 2), [
      'opportunity the ClientHello offers a session (psk)',
      'fired flipped a bit of 1 PSK binder',
    ])
  })

  t.test('the same at every split', async (t) => {
    for (let at = 1; at < hello.length; at += 1) {
      const parts = [client(hello.subarray(0, at)), client(hello.subarray(at))]
      if (!sent(parts).equals(flipped)) t.fail(`at ${at}`)
    }
  })

  t.test('silent without a session, and for what comes before or behind', async (t) => {
    const plain = await helloWith(undefined)
    t.same(play(behaviour, {}, [client(plain), client(hello)]), [client(plain), client(hello)], 'only the first hello')
    t.same(play(behaviour, {}, DIALOGUE), DIALOGUE)
    const wrong = Buffer.from(hello)
    // The length of the binder, HMAC-SHA384.
    wrong[hello.length - 49] = 0xff
    t.same(play(behaviour, {}, [client(wrong)]), [client(wrong)], 'lengths that lead astray')
    const begun = client(hello.subarray(0, 100))
    t.same(play(behaviour, {}, [begun, { type: 'eof', from: 'client' }]), [begun, { type: 'eof', from: 'client' }])
  })
})

t.test('a client that offers its session gets an alert, one that does not is served', async (t) => {
  const log = new Log()
  const mx = await peer(['break-binder'], { tls: { certificate: await certificate() }, log: log.sink })
  t.teardown(() => mx.close())
  const session = await sessionOf(mx.port)
  t.same(log.proofs(), [])
  const again = await Client.connect(mx.port)
  await t.rejects(again.secure({ session }), { code: 'ERR_SSL_SSLV3_ALERT_ILLEGAL_PARAMETER' })
  t.match(await log.ending('mx.2'), /^client/)
  t.same(log.proofs(), ['opportunity break-binder', 'fired break-binder'])
  t.notOk(log.of('tls').some((event) => event.conn === 'mx.2' && event.state === 'presented'))
})
