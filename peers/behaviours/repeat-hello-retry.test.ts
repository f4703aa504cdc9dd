import t from 'tap'
import { peer } from '../peer.ts'
import { Client } from '../testing/client.ts'
import { certificate, Log } from '../testing/log.ts'

async function shake(t: { teardown(done: () => unknown): void }, maxVersion: 'TLSv1.2' | 'TLSv1.3') {
  const log = new Log()
  const mx = await peer(['repeat-hello-retry'], { tls: { certificate: await certificate() }, log: log.sink })
  t.teardown(() => mx.close())
  const client = await Client.connect(mx.port)
  t.teardown(() => client.reset())
  const error = await client.secure({ maxVersion }).then(
    () => undefined,
    (reason: NodeJS.ErrnoException) => reason,
  )
  return { log, error }
}

t.test('OpenSSL follows the first request and stops at the second', async (t) => {
  const { log, error } = await shake(t, 'TLSv1.3')
  t.match(error, { code: 'ERR_SSL_UNEXPECTED_MESSAGE' })
  t.same(log.proofs(), ['opportunity repeat-hello-retry', 'fired repeat-hello-retry'])
  t.same(log.tls().slice(0, 1), ['hello'])
})

t.test('a client without TLS 1.3 is served', async (t) => {
  const { log, error } = await shake(t, 'TLSv1.2')
  t.equal(error, undefined)
  t.same(log.proofs(), [])
})
