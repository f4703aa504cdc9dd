import { connect as connectTls } from 'node:tls'
import t, { type Test } from 'tap'
import { createAuthority } from '../certificates/authority.ts'
import type { PeerEvent } from '../events.ts'
import { peer } from '../peer.ts'
import type { Bytes, WireEvent } from '../wire/units.ts'
import { play, show } from './playbook.ts'
import { behaviour } from './refuse-client-certificate.ts'

const STARTED: WireEvent = { type: 'tls', end: 'client', state: 'hello' }
const client = (bytes: Buffer): Bytes => ({ type: 'bytes', from: 'client', bytes })
const server = (bytes: Buffer): Bytes => ({ type: 'bytes', from: 'server', bytes })
/** A record of `type` around `content`. */
const record = (type: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type, 3, 3, content.length >> 8, content.length & 255]), content])
const presented = Buffer.from([0x16, 3, 3, 0, 11, 11, 0, 0, 7, 0, 0, 4, 0, 0, 1, 9])
const empty = Buffer.from([0x16, 3, 3, 0, 7, 11, 0, 0, 3, 0, 0, 0])
const exchange = Buffer.from([0x16, 3, 3, 0, 5, 16, 0, 0, 1, 7])

t.test('a certificate gets an alert, FIN or RST, and nothing passes any more', async (t) => {
  const outputs = (parameters: object): string[] =>
    show(play(behaviour, parameters, [STARTED, client(presented), client(exchange), server(exchange)])).slice(2)
  t.same(outputs({}), [
    'bytes from server "\\u0015\\u0003\\u0003\\u0000\\u0002\\u0002' + '0"',
    'close client fin without notify',
  ])
  t.same(outputs({ how: 'fin' }), ['close client fin without notify'])
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

t.test('one message over several records, and several messages in one', async (t) => {
  const message = presented.subarray(5)
  const halves = Buffer.concat([record(22, message.subarray(0, 6)), record(22, message.subarray(6))])
  const shared = record(22, Buffer.concat([message, exchange.subarray(5)]))
  for (const octets of [halves, shared])
    t.match(show(play(behaviour, {}, [STARTED, client(octets)])), [/opportunity/, /fired/, /bytes/, /close/])
})

t.test(
  'a second ClientHello is not the second flight; encrypted flights of TLS 1.3 are decided when TLS is up',
  async (t) => {
    const change = record(20, Buffer.from([1]))
    const hello = record(22, Buffer.from([1, 0, 0, 2, 3, 3]))
    const flight = record(23, Buffer.alloc(40))
    const ticket = record(23, Buffer.alloc(60))
    const up = (clientChain: readonly Buffer[]): WireEvent => ({
      type: 'tls',
      end: 'client',
      state: 'up',
      session: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', clientChain, serverSecret: Buffer.alloc(48) },
    })
    const begin = [STARTED, client(Buffer.concat([change, hello])), server(flight), client(flight)]
    const passed = show(begin.slice(1) as Bytes[])
    t.same(show(play(behaviour, {}, [...begin, server(ticket)])), passed, 'the tickets wait')
    t.same(show(play(behaviour, {}, [...begin, server(ticket), up([])])), [...passed, ...show([server(ticket)])])
    const refused = show(
      play(behaviour, { how: 'fin' }, [...begin, server(ticket), up([Buffer.alloc(9)]), client(flight)]),
    )
    t.match(refused.slice(passed.length), [/opportunity/, /fired .*FIN/, 'close client fin without notify'])
    t.equal(refused.length, passed.length + 3, 'and nothing passes any more')
  },
)

const authority = createAuthority({ now: new Date(), seed: 1 })
const certificate = await authority.issue('good', { host: 'mx.badmx.test', domain: 'badmx.test' })

/** What a client of Node's meets that connects with `own`, sends a line, and reads until the end. */
async function meet(t: Test, parameters: object, version: 'TLSv1.2' | 'TLSv1.3', own?: string): Promise<string> {
  const events: PeerEvent[] = []
  const host = await peer([{ use: 'refuse-client-certificate', with: { ...parameters } }], {
    tls: { certificate, on: 'connect', max: version, clientCertificate: 'request' },
    log: (event) => events.push(event),
  })
  t.teardown(() => host.close())
  const chain = own === undefined ? undefined : await authority.clientChain(own)
  const told = await new Promise<string>((resolve) => {
    const said: string[] = []
    const socket = connectTls({
      port: host.port,
      host: host.address,
      rejectUnauthorized: false,
      ...(chain === undefined ? {} : { cert: chain.certPem, key: chain.keyPem }),
    })
    t.teardown(() => socket.destroy())
    socket.on('error', (error: NodeJS.ErrnoException) => said.push(error.code ?? error.message))
    socket.on('secureConnect', () => said.push('up'))
    socket.on('data', () => socket.end())
    socket.on('close', () => resolve(said.join(' ')))
  })
  const fired = events.some(({ type }) => type === 'fired')
  return `${told}${fired ? ', fired' : ''}`
}

t.test('on the wire, at TLS 1.2 in mid-handshake', async (t) => {
  t.equal(await meet(t, {}, 'TLSv1.2'), 'up', 'without a certificate')
  t.equal(await meet(t, {}, 'TLSv1.2', 'good'), 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA, fired')
  t.equal(await meet(t, { how: 'fin' }, 'TLSv1.2', 'good'), 'ECONNRESET, fired', 'so Node calls an early FIN')
  t.equal(await meet(t, { how: 'rst' }, 'TLSv1.2', 'good'), 'ECONNRESET, fired')
})

t.test('on the wire, at TLS 1.3 when the client takes the handshake for done', async (t) => {
  t.equal(await meet(t, {}, 'TLSv1.3'), 'up')
  t.equal(await meet(t, {}, 'TLSv1.3', 'good'), 'up ERR_SSL_TLSV1_ALERT_UNKNOWN_CA, fired', 'an alert that decrypts')
  t.equal(await meet(t, { how: 'fin' }, 'TLSv1.3', 'good'), 'up, fired')
  t.equal(await meet(t, { how: 'rst' }, 'TLSv1.3', 'good'), 'up ECONNRESET, fired')
})

t.test('an MD5 signature anywhere in what was sent, a demand for a staple', async (t) => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    for (const own of ['good', 'md5-root-left-out', 'must-staple'])
      t.equal(await meet(t, { of: 'md5-signature' }, version, own), 'up', `${own} at ${version}`)
    t.match(await meet(t, { of: 'md5-signature', alert: 42 }, version, 'md5-root'), /ALERT_BAD_CERTIFICATE, fired/)
    t.match(
      await meet(t, { of: 'must-staple', alert: 113 }, version, 'must-staple'),
      /_BAD_CERTIFICATE_STATUS_RESPONSE, fired/,
    )
    t.equal(await meet(t, { of: 'must-staple' }, version, 'md5-root'), 'up', `md5-root at ${version}`)
  }
})

t.test('octets that are no certificate have no MD5 signature', async (t) => {
  t.same(show(play(behaviour, { of: 'md5-signature' }, [STARTED, client(presented)])), show([client(presented)]))
})
