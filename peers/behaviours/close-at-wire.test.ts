/** That what the log has as sent before an end of the connection did leave: on real sockets, with TLS 1.2 and 1.3. */
import t from 'tap'
import type { StackItem } from '../behaviour.ts'
import { peer } from '../peer.ts'
import { Client } from '../testing/client.ts'
import { certificate, Log } from '../testing/log.ts'

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const

interface Test {
  teardown(what: () => Promise<void>): void
  equal(found: unknown, wanted: unknown): boolean
}

/** A client that has been given its 354. */
async function atData(
  t: Test,
  item: StackItem,
  maxVersion: (typeof VERSIONS)[number],
): Promise<{ client: Client; log: Log }> {
  const log = new Log()
  const mx = await peer([item], { log: log.sink, tls: { certificate: await certificate() } })
  t.teardown(() => mx.close())
  const client = await Client.connect(mx.port)
  await client.secure({ maxVersion })
  for (const line of ['EHLO client', 'MAIL FROM:<a@badmx.test>', 'RCPT TO:<b@badmx.test>'])
    t.equal(await client.ask(line), 250)
  t.equal(await client.ask('DATA'), 354)
  return { client, log }
}

for (const version of VERSIONS) {
  t.test(`${version}: the reply arrives whole before a FIN without close_notify`, async (t) => {
    const item = { use: 'close-at', with: { at: 'after-delivery', notify: false } }
    const { client, log } = await atData(t, item, version)
    client.send('Subject: x\r\n\r\n.\r\n')
    t.match(await client.reply(), /^250 .*\r\n$/)
    t.match(await log.ending(), 'peer fin')
    t.match(log.proofs(), ['opportunity close-at', 'fired close-at'])
  })

  t.test(`${version}: the beginning of a cut reply arrives`, async (t) => {
    const { client, log } = await atData(t, { use: 'cut-reply', with: { keep: 5 } }, version)
    client.send('Subject: x\r\n\r\n.\r\n')
    await log.ending()
    await client.ended()
    t.match(client.received.toString('latin1'), /\r\n250 2$/)
  })

  t.test(`${version}: the 354 arrives before a FIN, or an RST`, async (t) => {
    for (const how of ['fin', 'rst'] as const) {
      const { client, log } = await atData(t, { use: 'close-at', with: { at: 'after-354', how } }, version)
      t.equal(await log.ending(), `peer ${how}`)
      await client.ended()
    }
  })
}
