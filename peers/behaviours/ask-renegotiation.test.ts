import { once } from 'node:events'
import t from 'tap'
import { exchange, legacyServer, proofsOf, talk, tlsLayerOf } from '../testing/legacy.ts'
import { behaviour } from './ask-renegotiation.ts'

t.test('OpenSSL 3 begins again when it is asked, and data goes on', async (t) => {
  for (const max of ['TLSv1', 'TLSv1.1', 'TLSv1.2'] as const) {
    const session = await talk(await legacyServer({ max }), {}, [tlsLayerOf(behaviour)])
    t.equal(session.error, undefined)
    t.strictSame(proofsOf(session), ['opportunity the handshake is over', 'fired a HelloRequest'])
    const text = '250 OK\r\n'
    t.strictSame(await exchange(session, text), [text, text], 'what was said meanwhile was held back')
    t.equal(session.conversation.of('secret').length, 2, 'two handshakes')
    session.client.destroy()
  }
})

t.test('silent where no handshake succeeds', async (t) => {
  const session = await talk(await legacyServer({ suites: ['RC4-SHA'] }), {}, [tlsLayerOf(behaviour)])
  t.ok(session.error)
  t.strictSame(proofsOf(session), [])
  if (!session.client.destroyed) await once(session.client, 'close')
})
