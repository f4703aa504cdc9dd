import t from 'tap'
import { client, reader } from './opensmtpd.ts'

const delivery = (session: string, result: string, stat: string): string =>
  `${session} mta delivery evpid=7980f1c44eb7cb70 from=<oiia8kv6@dsn.badmx.test> to=<2qvaj4is@scf59b3d45.may.badmx.test> rcpt=<-> source="203.0.113.2" relay="198.18.1.8 (198.18.1.8)" delay=1s result="${result}" stat="${stat}"`

t.test('reads what OpenSMTPD says of a message', async (t) => {
  const read = reader()
  t.strictSame(read(delivery('0e3473a1d171037e', 'Ok', '250 2.6.0 OK: message queued')), {
    id: '7980f1c4',
    state: 'delivered',
    reason: '250 2.6.0 OK: message queued',
  })
  t.strictSame(read(delivery('0000000000000000', 'TempFail', 'Network error on destination MXs')), {
    id: '7980f1c4',
    state: 'queued',
    kind: 'temporary',
    reason: 'Network error on destination MXs',
  })
  t.match(read(delivery('0e3473a1d171037e', 'PermFail', '550 5.1.1 no')), { state: 'bounced', kind: 'permanent' })
})

t.test('that the certificate was good claims a delivery of the same connection', async (t) => {
  const read = reader()
  const session = '92f9a9ca26adc050'
  const verified = { state: 'delivered', claims: { encrypted: true, verified: true } }
  // 6.8.
  t.equal(read(`${session} mta connecting address=smtp+tls://198.18.1.22:25 host=198.18.1.22`), undefined)
  t.equal(read(`${session} mta connected`), undefined)
  t.equal(read(`${session} mta tls ciphers=TLSv1.3:TLS_AES_256_GCM_SHA384:256`), undefined)
  t.equal(read(`${session} mta server-cert-check result="success"`), undefined)
  t.match(read(delivery(session, 'Ok', '250 2.6.0 OK')), verified)
  // Since 7.0.
  read(`${session} mta connecting address=smtp+tls://198.18.1.22:25 host=198.18.1.22`)
  read(`${session} mta cert-check result="valid" fingerprint="SHA256:00"`)
  t.match(read(delivery(session, 'Ok', '250 2.6.0 OK')), verified)
})

t.test('a bad certificate, and a delivery in clear after TLS broke, claim nothing', async (t) => {
  const session = '0e3473ce25004828'
  for (const between of [
    'mta server-cert-check result="failure"',
    'mta cert-check result="unverified" fingerprint="SHA256:00"',
  ]) {
    const read = reader()
    read(`${session} ${between}`)
    t.notOk(read(delivery(session, 'Ok', '250 OK'))?.claims, between)
  }
  const read = reader()
  read(`${session} mta server-cert-check result="success"`)
  read(`smtp-out: Error on session ${session}: opportunistic TLS failed, downgrading to plain`)
  read(`${session} mta connecting address=smtp+notls://198.18.1.22:25 host=198.18.1.22`)
  t.notOk(read(delivery(session, 'Ok', '250 OK'))?.claims)
})

t.test('stays silent on other lines', async (t) => {
  const read = reader()
  for (const line of [
    '<22>Nov 28 15:51:35 smtpd[11]: 0e3473b2dbf35c40 smtp message msgid=d2207f00 size=617 nrcpt=1 proto=ESMTP',
    'smtp-out: Disabling route [] <-> 198.18.1.21 (198.18.1.21) for 15s',
    '0e3473b2dbf35c40 mta error reason=Remote host sent too much data',
    'info: OpenSMTPD 6.8.0p2 starting',
  ])
    t.equal(read(line), undefined, line)
})

t.test('is a client of the lab, in any release', async (t) => {
  t.equal(client.inLab, true)
  t.match(client.at('trixie').layer, { client: 'opensmtpd', release: 'trixie' })
  await t.rejects(client.start(), { code: 'client-start', message: /runs in a lab/ })
})
