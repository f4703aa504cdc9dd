import { constants } from 'node:crypto'
import t from 'tap'
import { legacyServer, proofsOf, talk, tlsLayerOf } from '../testing/legacy.ts'
import { behaviour } from './read-first-suites.ts'

/** Three suites and the signalling value for renegotiation behind them. */
const CIPHERS = 'AES256-SHA256:AES256-SHA:AES128-SHA@SECLEVEL=0'

t.test('a suite behind the window is not seen', async (t) => {
  const server = await legacyServer({ suites: ['AES128-SHA'] })
  const beyond = await talk(server, { ciphers: CIPHERS }, [tlsLayerOf(behaviour, { suites: 2 })])
  t.strictSame(proofsOf(beyond), [
    'opportunity the client offers 4 cipher suites',
    'fired read the first 2 of 4 cipher suites',
  ])
  t.match(beyond.conversation.of('failed'), [{ reason: 'no cipher suite in common, of 2 that the server looked at' }])
  t.match(beyond.error, { code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE' })
  // The signalling value of RFC 5746 stands last and is not read either.
  const lax = { ciphers: CIPHERS, secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT }
  const within = await talk(server, lax, [tlsLayerOf(behaviour, { suites: 3 })])
  t.equal(within.error, undefined)
  t.equal(proofsOf(within).length, 2, 'the window was shorter than the hello')
  within.client.destroy()
})

t.test('a hello that fits is no opportunity', async (t) => {
  const session = await talk(await legacyServer({ suites: ['AES128-SHA'] }), { ciphers: CIPHERS }, [
    tlsLayerOf(behaviour),
  ])
  t.equal(session.error, undefined)
  t.strictSame(proofsOf(session), [])
  session.client.destroy()
})
