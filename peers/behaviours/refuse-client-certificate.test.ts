import { connect as connectTls } from 'node:tls'
import t from 'tap'
import { createAuthority } from '../certificates/authority.ts'
import type { PeerEvent } from '../events.ts'
import { peer } from '../peer.ts'
import type { Bytes, WireEvent } from '../wire/units.ts'
import { play, show } from './playbook.ts'
import { behaviour } from './refuse-client-certificate.ts'

const STARTED: WireEvent = { type: 'tls', end: 'client', state: 'hello' }
const client = (bytes: Buffer): Bytes => ({ type: 'bytes', from: 'client', bytes })
const server = (bytes: Buffer): Bytes => ({ type: 'bytes', from: 'server', bytes })
const presented = Buffer.from([0x16, 3, 3, 0, 11, 11, 0, 0, 7, 0, 0, 4, 0, 0, 1, 9])
const empty = Buffer.from([0x16, 3, 3, 0, 7, 11, 0, 0, 3, 0, 0, 0])
const exchange = Buffer.from([0x16, 3, 3, 0, 5, 16, 0, 0, 1, 7])

t.test('a certificate gets an alert, FIN or RST, and nothing passes any more', async (t) => {
  const outputs = (parameters: object): string[] =>
    show(play(behaviour, parameters, [STARTED, client(presented), client(exchange), server(exchange)])).slice(2)
  t.same(outputs({}), ['bytes from server "\\u0015\\u0003\\u0003\\u0000\\u0002\\u0002' + '0"', 'close client fin'])
  t.same(outputs({ how: 'fin' }), ['close client fin'])
  t.same(outputs({ how: 'rst' }), ['close client rst'])
})

t.test('the same at every split', async (t) => {
  const whole = show(play(behaviour, {}, [STARTED, client(presented)]))
  for (let at = 1; at < presented.length; at += 1) {
    const events = [STARTED, client(presented.subarray(0, at)), client(presented.subarray(at))]
    t.same(show(play(behaviour, {}, events)), whole, `at ${at}`)
  }
})

t.test('silent for an empty list, for no list, and before the handshake', async (t) => {
  for (const octets of [empty, exchange])
    t.same(play(behaviour, {}, [STARTED, client(octets), client(exchange)]), [client(octets), client(exchange)])
  t.same(play(behaviour, {}, [client(presented), server(exchange)]), [client(presented), server(exchange)])
})

t.test('on the wire', async (t) => {
  const authority = await createAuthority({ now: new Date(), seed: 1 })
  const certificate = await authority.issue('good', { host: 'mx.badmx.test', domain: 'badmx.test' })
  const own = await authority.clientChain('good')
  const events: PeerEvent[] = []
  const host = await peer(['refuse-client-certificate'], {
    tls: { certificate, on: 'connect', max: 'TLSv1.2', requestCert: true },
    log: (event) => events.push(event),
  })
  t.teardown(() => host.close())
  const shake = (options: object): Promise<string> =>
    new Promise((resolve) => {
      const socket = connectTls({ port: host.port, host: host.address, rejectUnauthorized: false, ...options })
      t.teardown(() => socket.destroy())
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
      socket.on('secureConnect', () => resolve('up'))
    })
  t.equal(await shake({}), 'up', 'without a certificate')
  t.notOk(events.some(({ type }) => type === 'fired'))
  t.match(await shake({ cert: own.certPem, key: own.keyPem }), /UNKNOWN_CA/, 'with one')
  t.ok(events.some(({ type }) => type === 'fired'))
})
