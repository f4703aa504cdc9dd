import t from 'tap'
import { legacyServer, proofsOf, talk, tlsLayerOf } from '../testing/legacy.ts'
import { behaviour } from './refuse-silently.ts'

t.test('nothing but an end for a client with nothing in common', async (t) => {
  const server = await legacyServer({ suites: ['RC4-SHA'] })
  for (const then of ['fin', 'rst'] as const) {
    const session = await talk(server, {}, [tlsLayerOf(behaviour, { then })])
    t.match(session.error, { code: 'ECONNRESET' })
    t.strictSame(session.conversation.of('send'), [], 'no alert')
    t.strictSame(session.conversation.of('end'), [{ type: 'end', how: then }])
    t.match(proofsOf(session), [
      /^opportunity no cipher suite in common, of \d+ that the server looked at$/,
      `fired ${then.toUpperCase()} in place of the alert handshake_failure`,
    ])
  }
})

t.test('silent where there is something in common', async (t) => {
  const session = await talk(await legacyServer(), {}, [tlsLayerOf(behaviour)])
  t.equal(session.error, undefined)
  t.strictSame(proofsOf(session), [])
  session.client.destroy()
})
