import t, { type Test } from 'tap'
import { peer } from '../peer.ts'
import { Client } from '../testing/client.ts'
import { certificate, Log } from '../testing/log.ts'

async function meet(t: Test, parameters: Record<string, unknown>, options: object = {}) {
  const log = new Log()
  const stack = [{ use: 'flood-after-handshake', with: parameters }]
  const mx = await peer(stack, { tls: { certificate: await certificate() }, log: log.sink })
  t.teardown(() => mx.close())
  const client = await Client.connect(mx.port)
  t.teardown(() => client.reset())
  const tls = await client.secure(options)
  return { client, tls, log }
}

t.test('tickets, and the session goes on with every suite of TLS 1.3', async (t) => {
  for (const ciphers of ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']) {
    const { client, tls, log } = await meet(t, { count: 1000 }, { ciphers })
    let tickets = 0
    tls.on('session', () => {
      tickets += 1
    })
    t.equal(await client.ask('EHLO client'), 250, ciphers)
    t.equal(await client.ask('MAIL FROM:<a@b.test>'), 250)
    t.ok(tickets >= 1000, `${tickets} tickets came`)
    t.same(log.proofs(), ['opportunity flood-after-handshake', 'fired flood-after-handshake'])
  }
})

t.test('KeyUpdates, which OpenSSL takes without counting them', async (t) => {
  const { client, tls, log } = await meet(t, { with: 'key-updates' })
  let broken = ''
  tls.on('error', (error: Error) => {
    broken = error.message
  })
  // 27 octets each: over a thousand, every one under new keys.
  while (client.socket.bytesRead < 30_000 && broken === '') await new Promise((next) => setImmediate(next))
  t.equal(broken, '')
  t.same(log.proofs(), ['opportunity flood-after-handshake', 'fired flood-after-handshake'])
  client.reset()
  t.match(await log.ending(), /^client/)
})

t.test('silent at TLS 1.2', async (t) => {
  const { client, log } = await meet(t, {}, { maxVersion: 'TLSv1.2' })
  t.equal(await client.ask('EHLO client'), 250)
  t.same(log.proofs(), [])
})
