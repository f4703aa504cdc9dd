import t from 'tap'
import { client, reader } from './haraka.ts'

/** Lines of Haraka 3.1 with badmx's plugin. */
const ID = '53AA72CC-A699-4818-B9B1-4699C4E38D03.1'

t.test('reads what Haraka says of a message', async (t) => {
  const read = reader()
  t.strictSame(
    read(`badmx: ${ID} delivered OK: message queued`),
    { id: ID, state: 'delivered', reason: 'OK: message queued' },
    'it claims nothing of the channel',
  )
  t.strictSame(read(`badmx: ${ID} deferred No TLS available but required by configuration.`), {
    id: ID,
    state: 'queued',
    kind: 'temporary',
    reason: 'No TLS available but required by configuration.',
  })
  t.strictSame(read(`badmx: ${ID} bounced Domain a.test sends and receives no email (NULL MX)`), {
    id: ID,
    state: 'bounced',
    kind: 'permanent',
    reason: 'Domain a.test sends and receives no email (NULL MX)',
  })
})

t.test('stays silent on other lines', async (t) => {
  const read = reader()
  for (const line of [
    `2026-11-28T18:53:28.500Z [NOTICE] [${ID}] [core] queue code=OK msg="Message Queued (${ID})"`,
    `2026-11-28T18:53:55.081Z [INFO] [${ID}.1] [outbound] bouncing mail: No Such Domain: a.test`,
    `2026-11-28T18:54:03.178Z [INFO] [${ID}.1] [outbound] Temp failing 17_17_0_15_u_16_client for 86400 seconds: Tried all MXs`,
    `2026-11-28T18:53:55.430Z [NOTICE] [${ID}.1] [outbound]  delivered file=17_33_client domain=a.test tls=Y`,
  ])
    t.equal(read(line), undefined, line)
})

t.test('is a client of the lab, in any release', async (t) => {
  t.equal(client.inLab, true)
  t.match(client.at('trixie'), { id: 'haraka@trixie', layer: { client: 'haraka', release: 'trixie' } })
  t.match(client.policies.verify, { options: 'tls.ini [outbound]: force_tls_hosts[]=DOMAIN' })
  t.match(client.policies.encrypt, { unsupported: /required and not verified/ })
})
