/** Sessions from one connection to the next: what the log says of them. */
import t from 'tap'
import { peer } from './peer.ts'
import { Client } from './testing/client.ts'
import { authority, certificate, Log } from './testing/log.ts'

const STACK = [
  { use: 'resume-session', fires: 'may' },
  { use: 'refuse-session', fires: 'may' },
] as const

interface Visit {
  readonly port: number
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly session?: Buffer
  readonly cert?: string
  readonly key?: string
}

/** One connection; what the client may resume afterwards. */
async function visit({ port, ...options }: Visit): Promise<{ readonly resumed: boolean; readonly session: Buffer }> {
  const client = await Client.connect(port)
  await client.reply()
  await client.ask('EHLO client')
  await client.ask('STARTTLS')
  const kept: Buffer[] = []
  const stream = await client.startTls(options)
  stream.on('session', (session: Buffer) => kept.push(session))
  await client.ask('EHLO client')
  await client.ask('QUIT')
  return { resumed: stream.isSessionReused(), session: kept.at(-1) ?? stream.getSession() ?? Buffer.alloc(0) }
}

/** TLS at the client's end of one connection, and the proofs. */
function told(log: Log, conn: string): { readonly tls: readonly string[]; readonly proofs: readonly string[] } {
  const own = log.events.filter((event) => 'conn' in event && event.conn === conn)
  return {
    tls: own.flatMap((event) => (event.type === 'tls' && event.state !== 'secret' ? [event.state] : [])),
    proofs: own.flatMap((event) =>
      event.type === 'opportunity' || event.type === 'fired' ? [`${event.type} ${event.behaviour}`] : [],
    ),
  }
}

for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const)
  for (const asks of [false, true])
    t.test(`${maxVersion}${asks ? ', a client certificate is asked for' : ''}`, async (t) => {
      const asked = asks ? { clientCertificate: 'request' as const } : {}
      const log = new Log()
      const mx = await peer(STACK, { tls: { certificate: await certificate('expired'), ...asked }, log: log.sink })
      t.teardown(() => mx.close())
      const { port } = mx
      const { session, resumed } = await visit({ port, maxVersion })
      t.notOk(resumed)
      const shown = ['opportunity certificate:expired', 'fired certificate:expired']
      t.same(told(log, 'mx.1'), { tls: ['hello', 'presented', 'up'], proofs: shown }, 'no session is offered')

      t.ok((await visit({ port, maxVersion, session })).resumed, 'the peer resumes it')
      const offered = ['opportunity resume-session', 'opportunity refuse-session']
      t.same(
        told(log, 'mx.2'),
        { tls: ['hello', 'up'], proofs: [...offered, 'fired resume-session'] },
        'no certificate is shown',
      )
      const hellos = log.of('tls').flatMap((event) => (event.state === 'hello' ? [event.hello.session] : []))
      t.same(hellos, [undefined, maxVersion === 'TLSv1.3' ? 'psk' : 'ticket'])

      await mx.change(STACK, { tls: { certificate: await certificate('self-signed'), ...asked } })
      t.notOk((await visit({ port, maxVersion, session })).resumed, 'with other keys it does not')
      const fired = ['opportunity certificate:self-signed', 'fired certificate:self-signed', 'fired refuse-session']
      t.same(told(log, 'mx.3'), {
        tls: ['hello', 'presented', 'up'],
        proofs: [...offered, ...fired],
      })
    })

t.test('peers that share their ticket keys go on with the sessions of each other', async (t) => {
  const ticketKeys = Buffer.alloc(48, 7)
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    const open = async (keys: object) => {
      const mx = await peer(STACK, { tls: { certificate: await certificate(), ...keys }, log: () => {} })
      t.teardown(() => mx.close())
      return mx.port
    }
    const { session } = await visit({ port: await open({ ticketKeys }), maxVersion })
    t.ok((await visit({ port: await open({ ticketKeys }), maxVersion, session })).resumed, `${maxVersion}: shared`)
    t.notOk((await visit({ port: await open({}), maxVersion, session })).resumed, `${maxVersion}: its own`)
  }
})

t.test('a client that refuses the certificate of the full handshake has been shown it', async (t) => {
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    const log = new Log()
    const mx = await peer(STACK, { tls: { certificate: await certificate() }, log: log.sink })
    t.teardown(() => mx.close())
    const { session } = await visit({ port: mx.port, maxVersion })
    await mx.change(STACK, { tls: { certificate: await certificate('self-signed') } })
    const client = await Client.connect(mx.port)
    await t.rejects(client.secure({ maxVersion, session, rejectUnauthorized: true }), { code: /SELF_SIGNED/ })
    client.reset()
    await log.ending('mx.2')
    t.ok(told(log, 'mx.2').proofs.includes('fired refuse-session'), maxVersion)
  }
})

t.test('a client certificate is not sent in a resumed handshake', async (t) => {
  const { certPem, keyPem } = await authority().clientChain('good')
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    const log = new Log()
    const mx = await peer(STACK, {
      tls: { certificate: await certificate(), clientCertificate: 'request' },
      log: log.sink,
    })
    t.teardown(() => mx.close())
    const own = { port: mx.port, maxVersion, cert: certPem, key: keyPem }
    const { session } = await visit(own)
    t.ok((await visit({ ...own, session })).resumed)
    const sent = log.of('tls').flatMap((event) => (event.state === 'up' ? [event.clientChain.length > 0] : []))
    t.same(sent, [true, false], maxVersion)
  }
})
