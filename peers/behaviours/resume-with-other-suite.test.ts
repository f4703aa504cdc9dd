import t from 'tap'
import { exchange, legacyServer, proofsOf, talk, tlsLayerOf } from '../testing/legacy.ts'
import { behaviour } from './resume-with-other-suite.ts'

t.test('OpenSSL stops at another suite than that of its session, by ticket and by id', async (t) => {
  for (const tickets of ['issue', 'none'] as const) {
    const server = await legacyServer({ suites: ['AES128-SHA', 'AES256-SHA'], tickets })
    const first = await talk(server, {}, [tlsLayerOf(behaviour)], 'first')
    await exchange(first, '250 OK\r\n')
    t.strictSame(proofsOf(first), [], 'a full handshake is left alone')
    const session = first.client.getSession()
    first.client.destroy()
    const second = await talk(server, session === undefined ? {} : { session }, [tlsLayerOf(behaviour)], 'second')
    t.match(second.error, { code: 'ERR_SSL_OLD_SESSION_CIPHER_NOT_RETURNED' })
    t.strictSame(proofsOf(second), [
      'opportunity a session is resumed',
      'fired the ServerHello of the resumed session names AES256-SHA',
    ])
  }
})
