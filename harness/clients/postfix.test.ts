import t from 'tap'
import { LAB_NETWORK } from '../lab/network.ts'
import { client, reader } from './postfix.ts'

/** Lines of Postfix 3.7 and 3.10, as the lab's log takes them. */
const SMTP = '<22>Nov 28 15:02:13 postfix/smtp[104]: '

t.test('reads what Postfix says of a message', async (t) => {
  const read = reader()
  t.equal(
    read(`${SMTP}Verified TLS connection established to mx.s1.verify.badmx.test[198.18.1.8]:25: TLSv1.3 with cipher X`),
    undefined,
  )
  t.strictSame(
    read(
      `${SMTP}7E18D4D: to=<l1g5@s1.verify.badmx.test>, relay=mx.s1.verify.badmx.test[198.18.1.8]:25, delay=0.26, delays=0.1/0.05/0.1/0.01, dsn=2.6.0, status=sent (250 2.6.0 OK: message queued)`,
    ),
    {
      id: '7E18D4D',
      state: 'delivered',
      reason: '250 2.6.0 OK: message queued',
      claims: { encrypted: true, verified: true },
    },
  )
  t.strictSame(
    read(
      `${SMTP}7E18D4E: to=<l1g5@s1.may.badmx.test>, relay=mx.s1.may.badmx.test[198.18.1.9]:25, delay=0.26, delays=0.1/0.05/0.1/0.01, dsn=2.6.0, status=sent (250 2.6.0 OK: message queued)`,
    ),
    { id: '7E18D4E', state: 'delivered', reason: '250 2.6.0 OK: message queued' },
    'the claim of one delivery is none for the next of the same process',
  )
  t.match(
    read(
      `${SMTP}4A: to=<x@y.test>, relay=none, delay=0.1, delays=0.1/0/0/0, dsn=4.4.1, status=deferred (connect to y.test[198.18.1.1]:25: Connection refused)`,
    ),
    { id: '4A', state: 'queued', kind: 'temporary', reason: 'connect to y.test[198.18.1.1]:25: Connection refused' },
  )
  t.match(
    read(
      `${SMTP}4B: to=<x@y.test>, relay=mx.y.test[198.18.1.1]:25, delay=0.1, delays=0.1/0/0/0, dsn=5.7.4, status=bounced (TLS is required, but host mx.y.test[198.18.1.1] refused to start TLS: 501 5.5.4 (bad))`,
    ),
    { id: '4B', state: 'bounced', kind: 'permanent', reason: /501 5\.5\.4 \(bad\)$/ },
  )
  t.match(
    read('<22>Nov 28 15:02:13 postfix/qmgr[96]: 4C: from=<a@dsn.badmx.test>, status=expired, returned to sender'),
    { id: '4C', state: 'bounced', kind: 'permanent' },
  )
})

t.test('a delivery in clear after TLS broke claims nothing', async (t) => {
  const read = reader()
  read(`${SMTP}Trusted TLS connection established to mx.s1.may.badmx.test[198.18.1.8]:25: TLSv1.3 with cipher X`)
  const report = read(
    `${SMTP}7F: to=<a@s1.may.badmx.test>, relay=mx.s1.may.badmx.test[198.18.1.8]:25, delay=4, delays=0/0/4/0, dsn=2.6.0, status=sent (250 OK)`,
  )
  t.strictSame(report, { id: '7F', state: 'delivered', reason: '250 OK' })
})

t.test('stays silent on other lines', async (t) => {
  const read = reader()
  for (const line of [
    '<22>Nov 28 15:02:13 postfix/qmgr[96]: 7A6444B: removed',
    '<22>Nov 28 15:02:13 postfix/qmgr[96]: 7A6444B: from=<a@dsn.badmx.test>, size=620, nrcpt=1 (queue active)',
    `${SMTP}7A6444B: host mx.y.test[198.18.1.1] said: 451 4.7.1 later (in reply to MAIL FROM command)`,
    '<20>Nov 28 15:01:13 postfix/smtpd[91]: warning: connect #1 to subsystem private/rewrite: No such file or directory',
  ])
    t.equal(read(line), undefined, line)
})

t.test('is a client of the lab, in any release', async (t) => {
  t.equal(client.inLab, true)
  t.equal(client.at('trixie').id, 'postfix@trixie')
  t.match(client.at('trixie').layer, { client: 'postfix', release: 'trixie' })
  t.match(await client.probe(), { found: false, install: /lab build postfix@bookworm/ }, 'out of a lab it is not there')
  await t.rejects(client.start(), { code: 'client-start', message: /runs in a lab/ })
  t.ok(LAB_NETWORK.hostname.endsWith('.test'))
})
