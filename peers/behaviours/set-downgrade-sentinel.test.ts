import t from 'tap'
import { legacyServer, proofsOf, talk, tlsLayerOf } from '../testing/legacy.ts'
import { certificate } from '../testing/log.ts'
import { behaviour } from './set-downgrade-sentinel.ts'

t.test('a client with TLS 1.3 stops at the sentinel; the signature over it is right', async (t) => {
  const server = await legacyServer({}, { certificate: await certificate() })
  for (const version of ['TLSv1.2', 'TLSv1.1'] as const) {
    const session = await talk(server, { maxVersion: 'TLSv1.3' }, [tlsLayerOf(behaviour, { version })])
    t.strictSame(proofsOf(session), [
      'opportunity the client offers TLS 1.3',
      `fired the sentinel of ${version} in the random of the ServerHello`,
    ])
    t.match(session.error, { code: 'ERR_SSL_INAPPROPRIATE_FALLBACK' }, 'either of them')
  }
})

t.test('silent towards a client without TLS 1.3', async (t) => {
  const session = await talk(await legacyServer(), {}, [tlsLayerOf(behaviour)])
  t.equal(session.error, undefined)
  t.strictSame(proofsOf(session), [])
  session.client.destroy()
})
