import t from 'tap'
import { client, reader } from './sendmail.ts'

/** Lines of Sendmail 8.17 and 8.18, as the lab's log takes them. */
const LOG = '<22>Nov 28 16:01:02 sendmail[93]:'
const TO =
  'to=<q5@s1.may.badmx.test>, delay=00:00:03, xdelay=00:00:02, mailer=esmtp, pri=30396, relay=mx.s1.may.badmx.test. [198.18.1.17]'

t.test('reads what Sendmail says of a message', async (t) => {
  const read = reader()
  read(
    `${LOG} STARTTLS=client, relay=mx.s1.may.badmx.test., version=TLSv1.3, verify=OK, cipher=TLS_AES_256_GCM_SHA384, bits=256/256`,
  )
  t.strictSame(
    read(`${LOG} 6ASG0oRJ000032: ${TO}, dsn=2.6.0, stat=Sent (OK: message queued)`),
    { id: '6ASG0oRJ000032', state: 'delivered', reason: 'Sent (OK: message queued)' },
    'verify=OK is of a chain and not of a name: no claim',
  )
  t.strictSame(read(`${LOG} 6ASFw0sj000033: ${TO}, dsn=4.7.0, stat=Deferred: 454 4.7.0 TLS handshake failed.`), {
    id: '6ASFw0sj000033',
    state: 'queued',
    kind: 'temporary',
    reason: 'Deferred: 454 4.7.0 TLS handshake failed.',
  })
  t.strictSame(
    read(
      `${LOG} 6ASG0oDR000033: ${TO}, dsn=4.7.0, reply=554 5.7.3 Unable to initialize security subsystem, stat=Deferred: 454 4.7.0 encryption too weak 0 less than 112`,
    ),
    {
      id: '6ASG0oDR000033',
      state: 'queued',
      kind: 'temporary',
      reason: 'Deferred: 454 4.7.0 encryption too weak 0 less than 112',
    },
    'the reply of the server stands before',
  )
  t.strictSame(
    read(`${LOG} 6ASG0oDR000034: ${TO}, dsn=5.0.0, reply=554 Transaction failed, stat=Service unavailable`),
    { id: '6ASG0oDR000034', state: 'bounced', kind: 'permanent', reason: 'Service unavailable' },
  )
  t.strictSame(
    read(`${LOG} 6ASGDPSA000028: ${TO}, dsn=2.1.5, stat=Remote protocol error`),
    { id: '6ASGDPSA000028', state: 'bounced', kind: 'permanent', reason: 'Remote protocol error' },
    'the code of a reply that stands for another',
  )
  t.strictSame(read(`${LOG} 6ASGPv28000030: 6B3GQpCc000131: sender notify: Cannot send message for 5 days`), {
    id: '6ASGPv28000030',
    state: 'bounced',
    kind: 'permanent',
    reason: 'Cannot send message for 5 days',
  })
})

t.test('stays silent on other lines', async (t) => {
  const read = reader()
  for (const line of [
    `${LOG} 6ASG0oRJ000032: from=<a@dsn.badmx.test>, size=392, class=0, nrcpts=1, msgid=<1.rq@badmx.test>, proto=ESMTP, daemon=MTA-v4, relay=localhost [127.0.0.1]`,
    `${LOG} 6ASG0oRJ000032: to=<q5@s1.may.badmx.test>, delay=00:00:00, mailer=esmtp, pri=30396, dsn=4.4.3, stat=queued`,
    `${LOG} 6ASG0oRJ000032: 6ASG0oRK000032: DSN: Service unavailable`,
    '<21>Nov 28 16:01:00 sendmail[93]: ruleset=tls_server, arg1=NONE, relay=mx.s1.may.badmx.test, reject=454 4.7.0 encryption too weak 0 less than 112',
    `${LOG} 6ASGPv28000030: 6ASKQO3r000073: sender notify: Warning: could not send message for past 4 hours`,
    `${LOG} starting daemon (8.17.1.9): SMTP`,
  ])
    t.equal(read(line), undefined, line)
})

t.test('is a client of the lab, in any release', async (t) => {
  t.equal(client.inLab, true)
  t.match(client.at('trixie'), { id: 'sendmail@trixie', layer: { client: 'sendmail', release: 'trixie' } })
  t.match(client.policies.verify, { options: 'TLS_Srv:DOMAIN VERIFY:112+CN' })
  t.match(client.policies['mta-sts'], { unsupported: /policy server/ })
})
