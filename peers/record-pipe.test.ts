import t from 'tap'
import { peer } from './peer.ts'
import { Client } from './testing/client.ts'
import { certificate, Log } from './testing/log.ts'

t.test('in the record plane too every octet that reaches the client is logged once', async (t) => {
  const log = new Log()
  const mx = await peer(['swallow-client-hello'], { log: log.sink, tls: { certificate: await certificate() } })
  t.teardown(() => mx.close())
  const client = await Client.connect(mx.port)
  await client.reply()
  await client.ask('EHLO client')
  client.send('NOOP\r\nNOOP\r\n')
  await client.reply()
  await client.reply()
  await client.ask('STARTTLS')
  client.socket.end()
  await log.ending()
  const logged = log.octets('client', 'out', 'tcp').toString('latin1')
  t.equal(logged, client.received.toString('latin1'))
  t.match(logged, /^220 .*\r\n250-[^]*220 2\.0\.0 /, 'from the banner to the go')
})
