/** Sessions from one connection to the next: what the log says of them, and what ticket keys do. */
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { type PeerOptions, peer } from './peer.ts'
import { Client } from './testing/client.ts'
import { certificate, Log } from './testing/log.ts'

const STACK = [
  { use: 'resume-session', fires: 'may' },
  { use: 'refuse-session', fires: 'may' },
] as const

interface Visit {
  readonly port: number
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly session?: Buffer
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

async function told(connPrefix: string, keys: Buffer | undefined, options: PeerOptions['tls']) {
  const log = new Log()
  const tls = {
    certificate: await certificate('expired'),
    ...options,
    ...(keys === undefined ? {} : { ticketKeys: keys }),
  }
  const mx = await peer(STACK, { tls, log: log.sink, connPrefix })
  t.teardown(() => mx.close())
  return { mx, log }
}

for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const)
  for (const requestCert of [false, true])
    t.test(`${maxVersion}${requestCert ? ', a client certificate is asked for' : ''}`, async (t) => {
      const keys = randomBytes(48)
      const first = await told('a:', keys, { certificate: await certificate('expired'), requestCert })
      const same = await told('b:', keys, { certificate: await certificate('self-signed'), requestCert })
      const other = await told('c:', undefined, { certificate: await certificate('self-signed'), requestCert })
      const { session, resumed } = await visit({ port: first.mx.port, maxVersion })
      t.notOk(resumed)
      t.same(first.log.tls(), ['hello', 'presented', 'up'])
      t.same(first.log.proofs(), ['opportunity certificate:expired', 'fired certificate:expired'], 'no session offered')

      t.ok((await visit({ port: same.mx.port, maxVersion, session })).resumed, 'the same keys resume it')
      t.same(same.log.tls(), ['hello', 'up'], 'no certificate is shown')
      t.match(same.log.of('tls')[0], { hello: { session: maxVersion === 'TLSv1.3' ? 'psk' : 'ticket' } })
      const offered = [
        'opportunity certificate:self-signed',
        'opportunity resume-session',
        'opportunity refuse-session',
      ]
      t.same(same.log.proofs(), [...offered, 'fired resume-session'])

      t.notOk((await visit({ port: other.mx.port, maxVersion, session })).resumed, 'other keys do not')
      t.same(other.log.tls(), ['hello', 'presented', 'up'])
      t.same(other.log.proofs(), [...offered, 'fired certificate:self-signed', 'fired refuse-session'])
    })

t.test('a client that refuses the certificate of the full handshake has been shown it', async (t) => {
  const keys = randomBytes(48)
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    const first = await told('a:', keys, { certificate: await certificate() })
    const other = await told('b:', undefined, { certificate: await certificate('self-signed') })
    const { session } = await visit({ port: first.mx.port, maxVersion })
    const client = await Client.connect(other.mx.port)
    await t.rejects(client.secure({ maxVersion, session, rejectUnauthorized: true }), { code: /SELF_SIGNED/ })
    client.reset()
    await other.log.ending()
    t.ok(other.log.proofs().includes('fired refuse-session'), maxVersion)
  }
})
