import { connect as connectTls } from 'node:tls'
import t from 'tap'
import { createAuthority } from '../certificates/authority.ts'
import type { PeerEvent } from '../events.ts'
import { peer } from '../peer.ts'
import type { Bytes, WireEvent } from '../wire/units.ts'
import { behaviour } from './alter-handshake.ts'
import { play, show } from './playbook.ts'

const STARTED: WireEvent = { type: 'tls', end: 'client', state: 'hello' }
const server = (bytes: Buffer): Bytes => ({ type: 'bytes', from: 'server', bytes })
const record = (type: number, ...octets: number[]): Buffer =>
  Buffer.from([0x16, 3, 3, 0, octets.length + 4, type, 0, 0, octets.length, ...octets])
const hello = record(2, 3, 3, ...Array<number>(32).fill(7), 0, 0xc0, 0x2b, 0)
const certificate = record(11, 1, 2, 3, 4)
const exchange = record(12, 5, 6)
const done = record(14)
const flight = Buffer.concat([hello, certificate, exchange, done])
const sent = (parameters: object, events: readonly WireEvent[]): Buffer =>
  Buffer.concat(
    play(behaviour, parameters, events).flatMap((output) => (output.type === 'bytes' ? [output.bytes] : [])),
  )
const after = (parameters: object): Buffer => sent(parameters, [STARTED, server(flight)])

t.test('fields of the ServerHello', async (t) => {
  const at = (offset: number, ...octets: number[]): Buffer => {
    const changed = Buffer.from(flight)
    changed.set(octets, offset)
    return changed
  }
  t.same(after({ how: 'version', value: 0x0309 }), at(9, 3, 9))
  t.same(after({ how: 'cipher', value: 0xcafe }), at(44, 0xca, 0xfe))
  t.same(after({ how: 'compression', value: 1 }), at(46, 1))
  const extended = after({ how: 'extension', value: 0x3374 })
  const longer = record(2, ...hello.subarray(9), 0, 4, 0x33, 0x74, 0, 0)
  t.same(extended, Buffer.concat([longer, certificate, exchange, done]), 'where there was no extension')
  const twice = sent({ how: 'extension', value: 0xff01 }, [STARTED, server(longer)])
  t.same(twice, record(2, ...hello.subarray(9), 0, 8, 0x33, 0x74, 0, 0, 0xff, 1, 0, 0), 'behind another')
})

t.test('any message: flipped, and with octets around it', async (t) => {
  const flipped = after({ message: 'server-key-exchange' })
  t.same(flipped, Buffer.concat([hello, certificate, record(12, 5, 7), done]))
  const extra = Buffer.from([0x14, 3, 3, 0, 1, 1])
  t.same(after({ how: 'insert-after' }), Buffer.concat([hello, extra, certificate, exchange, done]))
  t.same(
    after({ how: 'insert-before', message: 'server-hello-done' }),
    Buffer.concat([hello, certificate, exchange, extra, done]),
  )
})

t.test('cut: half or all of a message, then an end and nothing more', async (t) => {
  const outputs = show(play(behaviour, { how: 'cut', message: 'certificate', then: 'rst' }, [STARTED, server(flight)]))
  t.equal(outputs.at(-1), 'close client rst')
  t.same(after({ how: 'cut', message: 'certificate' }), Buffer.concat([hello, certificate.subarray(0, 6)]))
  t.same(after({ how: 'cut', whole: true, then: 'stall' }), hello)
  t.same(
    sent({ how: 'cut', then: 'stall' }, [STARTED, server(hello), server(flight)]),
    hello.subarray(0, hello.length >> 1),
  )
})

t.test('the same at every split', async (t) => {
  for (const how of ['cipher', 'extension', 'flip', 'insert-after', 'cut'])
    for (let at = 1; at < flight.length; at += 1)
      t.same(
        sent({ how }, [STARTED, server(flight.subarray(0, at)), server(flight.subarray(at))]),
        after({ how }),
        `${how} at ${at}`,
      )
})

t.test('silent before the handshake, behind it, and where the message does not come', async (t) => {
  t.same(sent({}, [server(flight)]), flight)
  const application = Buffer.from([0x17, 3, 3, 0, 1, 9])
  const resumed = Buffer.concat([hello, application, certificate])
  const outputs = play(behaviour, { message: 'certificate' }, [STARTED, server(resumed)])
  t.notOk(outputs.some(({ type }) => type === 'fired'))
  t.same(sent({ message: 'certificate' }, [STARTED, server(resumed)]), resumed)
})

t.test('on the wire: a client refuses each, and what had left is on record', async (t) => {
  const authority = createAuthority({ now: new Date(), seed: 1 })
  const chain = await authority.issue('good', { host: 'mx.badmx.test', domain: 'badmx.test' })
  const cases = [
    [{ message: 'server-key-exchange' }, /BAD_SIGNATURE/, true],
    [{ how: 'version', value: 0x0309 }, /UNSUPPORTED_PROTOCOL|WRONG_SSL_VERSION|WRONG_VERSION/, true],
    [{ how: 'cipher', value: 0xcafe }, /UNKNOWN_CIPHER_RETURNED|WRONG_CIPHER_RETURNED/, true],
    [{ how: 'extension', value: 0x3374 }, /UNSOLICITED_EXTENSION/, true],
    [{ how: 'cut', message: 'certificate', then: 'rst' }, /ECONNRESET/, false],
    [{ how: 'cut', whole: true }, /ECONNRESET/, false],
  ] as const
  for (const [parameters, error, presented] of cases) {
    const events: PeerEvent[] = []
    const host = await peer([{ use: 'alter-handshake', with: parameters }], {
      tls: { certificate: chain, on: 'connect', max: 'TLSv1.2' },
      log: (event) => events.push(event),
    })
    const code = await new Promise<string>((resolve) => {
      const socket = connectTls({ port: host.port, host: host.address, rejectUnauthorized: false })
      t.teardown(() => socket.destroy())
      socket.on('error', (failure: NodeJS.ErrnoException) => resolve(failure.code ?? ''))
      socket.on('secureConnect', () => resolve('TLS came up'))
    })
    await host.idle()
    await host.close()
    t.match(code, error, JSON.stringify(parameters))
    t.ok(events.some((event) => event.type === 'fired' && event.behaviour === 'alter-handshake'))
    t.equal(
      events.some((event) => event.type === 'tls' && event.state === 'presented'),
      presented,
      `${JSON.stringify(parameters)}: the certificate ${presented ? 'left' : 'did not leave'}`,
    )
  }
})
