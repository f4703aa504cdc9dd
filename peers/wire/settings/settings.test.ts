import { constants } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import { show } from '../../behaviours/playbook.ts'
import { peer, type TlsOptions } from '../../peer.ts'
import { authority, certificate, Log } from '../../testing/log.ts'
import { type Bytes, replyTo, type WireEvent } from '../units.ts'
import { planeOf, type Setting, watchSetting } from './settings.ts'

type Given = Omit<TlsOptions, 'certificate' | 'on'>

/** A host with TLS on connect, and what it records. */
async function host(t: Test, prove: readonly Setting[], tls: Given = {}, fault = 'good') {
  const log = new Log()
  const mx = await peer([], {
    tls: { ...tls, on: 'connect', certificate: await certificate(fault) },
    prove,
    log: log.sink,
  })
  t.teardown(() => mx.close())
  const said = (): string[] =>
    log.events.flatMap((event) =>
      (event.type === 'opportunity' || event.type === 'fired') && event.behaviour.startsWith('tls:')
        ? [`${event.type}: ${event.detail}`]
        : [],
    )
  return { ...mx, log, said }
}

/** A TLS client of Node's until the banner or the end. */
function shake(t: Test, port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve) => {
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ciphers: 'ALL@SECLEVEL=0',
      ...options,
    })
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    socket.on('close', () => resolve(socket))
    socket.once('data', () => socket.end(() => resolve(socket)))
  })
}

t.test('versions: what was selected, or the refusal', async (t) => {
  const old = await host(t, ['tls:version'], { max: 'TLSv1.2' })
  await shake(t, old.port)
  t.match(old.said(), [/^opportunity: a ClientHello with TLS 1\.3, TLS 1\.2$/, /^fired: selected TLS 1\.2$/])
  t.match(old.log.events[1], { type: 'armed', behaviour: 'tls:version' })
  const refused = await host(t, ['tls:version'], { max: 'TLSv1.2' })
  await shake(t, refused.port, { minVersion: 'TLSv1.3' })
  t.match(refused.said(), [/^opportunity/, 'fired: refused the ClientHello with alert 70'])
  const oldest = await host(t, ['tls:version'], { min: 'TLSv1', max: 'TLSv1' })
  await shake(t, oldest.port, { minVersion: 'TLSv1' })
  t.match(oldest.said(), [/TLS 1\.1, TLS 1\.0$/, 'fired: selected TLS 1.0'])
  const newest = await host(t, ['tls:version'], { min: 'TLSv1.3' })
  await shake(t, newest.port)
  t.match(newest.said(), [/^opportunity/, 'fired: selected TLS 1.3'])
})

t.test('suites: what was selected at TLS 1.2, or that there was none', async (t) => {
  const one = await host(t, ['tls:ciphers'], { max: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' })
  await shake(t, one.port)
  t.match(one.said(), [/^opportunity/, 'fired: selected the cipher suite 0xc02c'])
  const none = await host(t, ['tls:ciphers'], { max: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' })
  await shake(t, none.port)
  t.match(none.said(), [/^opportunity/, 'fired: no shared cipher suite: alert 40'])
  const newer = await host(t, ['tls:ciphers'], { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' })
  await shake(t, newer.port)
  t.same(newer.said(), [], 'TLS 1.3 has suites of its own')
  const refused = await host(t, ['tls:ciphers'], { max: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' })
  await shake(t, refused.port, { minVersion: 'TLSv1.3' })
  t.same(refused.said(), [], 'a version that is not there is not for want of suites')
})

t.test('extended master secret: kept from a client that offers it', async (t) => {
  const without = await host(t, ['tls:extended-master-secret'], { max: 'TLSv1.2', extendedMasterSecret: false })
  await shake(t, without.port)
  t.match(without.said(), [/^opportunity/, 'fired: the ServerHello does not have it'])
  const withIt = await host(t, ['tls:extended-master-secret'], { max: 'TLSv1.2' })
  await shake(t, withIt.port)
  t.match(withIt.said(), [/^opportunity/], 'where it is agreed to, nothing fires')
  const newer = await host(t, ['tls:extended-master-secret'], { extendedMasterSecret: false })
  await shake(t, newer.port)
  t.same(newer.said(), [])
})

t.test('secure renegotiation: kept from a client that offers it', async (t) => {
  const lax = { secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT, maxVersion: 'TLSv1.2' } as const
  const without = await host(t, ['tls:secure-renegotiation'], { legacy: { secureRenegotiation: false } })
  await shake(t, without.port, lax)
  t.match(without.said(), [/^opportunity/, 'fired: the ServerHello does not have renegotiation_info'])
  const withIt = await host(t, ['tls:secure-renegotiation'], { legacy: {} })
  await shake(t, withIt.port, lax)
  t.match(withIt.said(), [/^opportunity/], 'where it is agreed to, nothing fires')
  t.equal(withIt.said().length, 1)
})

t.test('the versions and suites of the legacy engine prove themselves in the same way', async (t) => {
  const old = await host(t, ['tls:version'], { legacy: { max: 'TLSv1' } })
  await shake(t, old.port, { minVersion: 'TLSv1' })
  t.match(old.said(), [/^opportunity/, 'fired: selected TLS 1.0'])
  const none = await host(t, ['tls:ciphers'], { legacy: { suites: ['RC4-SHA'] } }, 'rsa')
  await shake(t, none.port)
  t.match(none.said(), [/^opportunity/, 'fired: no shared cipher suite: alert 40'])
})

t.test('client certificates: the request left', async (t) => {
  const authorities = authority().namedAuthorities(400)
  for (const [given, want] of [
    [{ max: 'TLSv1.2', clientCertificate: 'request' }, /^fired: sent a CertificateRequest: 0 authorities, 0 octets$/],
    [{ max: 'TLSv1.2', clientCertificate: 'require' }, /^fired: sent a CertificateRequest: 0 authorities, 0 octets$/],
    [{ max: 'TLSv1.2', clientCertificate: 'request', authorities }, /^fired: .*: 400 authorities, 2\d{4} octets$/],
    [{ clientCertificate: 'request' }, /^fired: sent the flight with the CertificateRequest$/],
  ] as const) {
    const asking = await host(t, ['tls:client-certificate'], given)
    await shake(t, asking.port)
    t.match(asking.said(), [/^opportunity: a full handshake of TLS 1\.[23]$/, want])
  }
  const silent = await host(t, ['tls:client-certificate'], { max: 'TLSv1.2' })
  await shake(t, silent.port)
  t.match(silent.said(), [/^opportunity/], 'no request, no firing')
  const refused = await host(t, ['tls:client-certificate'], { max: 'TLSv1.2', clientCertificate: 'request' })
  await shake(t, refused.port, { minVersion: 'TLSv1.3' })
  t.same(refused.said(), [])
})

t.test('client certificates: a resumed session has no request', async (t) => {
  // OpenSSL resumes no session of a host that asks for certificates and has no session id context; this one does not ask.
  const asking = await host(t, ['tls:client-certificate'], { max: 'TLSv1.2' })
  const session = (await shake(t, asking.port)).getSession()
  t.match(asking.said(), ['opportunity: a full handshake of TLS 1.2'])
  const again = await shake(t, asking.port, session === undefined ? {} : { session })
  t.ok(again.isSessionReused())
  t.equal(asking.said().length, 1, 'and no opportunity')
})

t.test('the server name: which certificate left', async (t) => {
  const other = await certificate('valid-other-domain')
  for (const max of ['TLSv1.2', 'TLSv1.3'] as const) {
    const mx = await host(t, ['tls:server-name'], { max, withoutServerName: { max, certificate: other } })
    const unnamed = await shake(t, mx.port)
    t.match(mx.said(), ['opportunity: a ClientHello that names no server', 'fired: sent the other certificate'])
    t.equal(unnamed.getPeerCertificate().subject.CN, 'mx.attacker.test')
    const named = await host(t, ['tls:server-name'], { max, withoutServerName: { max, certificate: other } })
    const socket = await shake(t, named.port, { servername: 'mx.test' })
    t.match(named.said(), ['opportunity: a ClientHello that names mx.test', 'fired: sent the certificate of the host'])
    t.not(socket.getPeerCertificate().subject.CN, 'mx.attacker.test')
    await shake(t, mx.port, { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' })
    t.equal(mx.said().length, max === 'TLSv1.2' ? 2 : 4)
  }
})

t.test('Diffie-Hellman: the prime that left', async (t) => {
  const tls = { max: 'TLSv1.2', ciphers: 'DHE-RSA-AES128-GCM-SHA256@SECLEVEL=0', diffieHellman: 1024 } as const
  const short = await host(t, ['tls:diffie-hellman'], tls, 'rsa')
  await shake(t, short.port)
  t.match(short.said(), [/^opportunity/, 'fired: sent a prime of 1024 bits'])
  const elliptic = await host(t, ['tls:diffie-hellman'], { ...tls, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }, 'rsa')
  await shake(t, elliptic.port)
  t.same(elliptic.said(), [])
})

/** The octets of a real ClientHello, and of the flight with which a host of TLS 1.2 answers it. */
async function recorded(t: Test): Promise<{ hello: Buffer; flight: Buffer }> {
  const authorities = authority().namedAuthorities(400)
  const asking = await host(t, [], { max: 'TLSv1.2', clientCertificate: 'request', authorities })
  await shake(t, asking.port)
  const hello =
    asking.log.of('tls').flatMap((event) => (event.state === 'hello' ? [event.data] : []))[0] ?? Buffer.alloc(0)
  const flight = await new Promise<Buffer>((resolve) => {
    const parts: Buffer[] = []
    const raw: Socket = connect(asking.port, '127.0.0.1', () => raw.write(hello))
    t.teardown(() => raw.destroy())
    raw.on('data', (octets) => {
      parts.push(octets)
      // ServerHelloDone, in a record of its own.
      const all = Buffer.concat(parts)
      if (all.subarray(-9).equals(Buffer.from([22, 3, 3, 0, 4, 14, 0, 0, 0]))) resolve(all)
    })
  })
  return { hello, flight }
}

t.test('the same wherever the octets are split, and everything passes', async (t) => {
  const { hello, flight } = await recorded(t)
  const from = (end: Bytes['from'], bytes: Buffer): WireEvent => ({ type: 'bytes', from: end, bytes })
  const announced: WireEvent = { type: 'tls', end: 'client', state: 'hello' }
  const settings = (['tls:version', 'tls:ciphers', 'tls:client-certificate'] as const).filter(
    (id) => planeOf(id) === 'record',
  )
  for (const setting of settings) {
    const play = (events: readonly WireEvent[]) => {
      const layer = watchSetting(setting)
      const outputs = events.flatMap((event) => [...layer.on(event)])
      const passed = outputs.flatMap((output) =>
        output.type === 'bytes' && output.from === 'server' ? [output.bytes] : [],
      )
      const proofs = outputs.filter(({ type }) => type === 'opportunity' || type === 'fired')
      return { passed: Buffer.concat(passed), proofs: show(proofs) }
    }
    const whole = play([from('client', hello), announced, from('server', flight)])
    t.match(whole.proofs, [/^opportunity/, /^fired/])
    t.same(whole.passed, flight)
    const cuts = [1, 4, 5, 6, 9, 40, 44, ...Array.from({ length: 60 }, (_, index) => 80 + index * 379)]
    for (const at of cuts) {
      const parts = [from('server', flight.subarray(0, at)), from('server', flight.subarray(at))]
      t.same(play([from('client', hello), announced, ...parts]), whole, `${setting} split at ${at}`)
    }
    const halves = [from('client', hello.subarray(0, 7)), from('client', hello.subarray(7))]
    t.same(play([...halves, announced, from('server', flight)]), whole, `${setting}, the hello split`)
    t.same(play([from('server', flight)]).proofs, [], 'nothing before a ClientHello')
    t.same(play([from('client', Buffer.from('HELO')), announced, from('server', flight)]).proofs, [])
  }
})

t.test('EHLO keywords', async (t) => {
  const ehlo = (id: number, secured: boolean): WireEvent => ({
    type: 'command',
    id,
    verb: 'EHLO',
    argument: 'c',
    bytes: Buffer.from('EHLO c\r\n'),
    secured,
  })
  const answered = (id: number, secured: boolean, code = 250): WireEvent => replyTo({ id, secured }, code, 'mx')
  const proofs = (setting: Setting, events: readonly WireEvent[]): string[] => {
    const layer = watchSetting(setting)
    return events.flatMap((event) =>
      layer.on(event).flatMap(({ type }) => (type === 'opportunity' || type === 'fired' ? [type] : [])),
    )
  }
  const clear = [ehlo(1, false), answered(1, false)]
  const inside = [ehlo(3, true), answered(3, true)]
  t.same(proofs('extensions:before-tls', [...clear, ...inside]), ['opportunity', 'fired'])
  t.same(proofs('extensions:before-tls', inside), [])
  t.same(proofs('extensions:after-tls', [...clear, ...inside]), ['opportunity', 'fired'])
  t.same(proofs('extensions:after-tls', clear), [])
  t.same(proofs('extensions', inside), ['opportunity', 'fired'])
  t.same(proofs('extensions:after-tls', [ehlo(3, true), answered(3, true, 550)]), ['opportunity'], 'a refusal has none')
  const mx = await peer([], { prove: ['extensions:before-tls'], log: () => {} })
  t.teardown(() => mx.close())
  t.equal(planeOf('extensions'), 'smtp')
})
