import t from 'tap'
import { client, foundLocked, reader } from './exim.ts'

/** Lines of Exim 4.94, 4.96 and 4.98, as the lab's log takes them. */
const LOG = '<22>Nov 28 15:55:13 exim[48]: 2026-11-28 15:55:13'
const HOST = 'R=dnslookup T=remote_smtp H=mx.s1.may.badmx.test [198.18.1.19]'
const SUITE = 'X=TLS1.3:ECDHE_SECP256R1__ECDSA_SECP256R1_SHA256__AES_256_GCM:256'

t.test('reads what Exim says of a message', async (t) => {
  const read = reader()
  t.strictSame(
    read(`${LOG} 1xXKlZ-00000C-1f => q5@s1.may.badmx.test ${HOST} ${SUITE} CV=yes C="250 2.6.0 OK: message queued"`),
    {
      id: '1xXKlZ-00000C-1f',
      state: 'delivered',
      reason: `${HOST} ${SUITE} CV=yes C="250 2.6.0 OK: message queued"`,
      claims: { encrypted: true, verified: true },
    },
  )
  t.match(
    read(`${LOG} 1tYxQ2-00000000D0v-3Jkb => q5@s1.may.badmx.test ${HOST} ${SUITE} CV=no C="250 OK"`),
    { id: '1tYxQ2-00000000D0v-3Jkb', state: 'delivered', claims: { encrypted: true, verified: false } },
    'an id as 4.97 and later have it',
  )
  const clear = read(`${LOG} 1xXKlZ-00000C-1f => q5@s1.may.badmx.test ${HOST} C="250 2.6.0 OK: message queued"`)
  t.match(clear, { state: 'delivered' })
  t.notOk(clear?.claims, 'without X= nothing is claimed')
  t.match(
    read(
      `${LOG} 1xXKlZ-00000D-1h == q5@s1.may.badmx.test R=dnslookup T=remote_smtp defer (-38) H=mx.s1.may.badmx.test [198.18.1.20]: a TLS session is required, but an attempt to start TLS failed`,
    ),
    { id: '1xXKlZ-00000D-1h', state: 'queued', kind: 'temporary', reason: /attempt to start TLS failed$/ },
  )
  t.match(
    read(`${LOG} 1xXKlZ-00000D-1h == q5@s1.may.badmx.test R=dnslookup defer (-1): host lookup did not complete`),
    { state: 'queued', kind: 'temporary' },
  )
  t.match(
    read(
      `${LOG} 1xXKlZ-00000E-1h ** q5@s1.may.badmx.test ${HOST} ${SUITE} CV=yes: SMTP error from remote mail server after MAIL FROM:<a@dsn.badmx.test>: 554 no`,
    ),
    { state: 'bounced', kind: 'permanent', reason: /554 no$/ },
  )
  t.match(read(`${LOG} 1xXKlZ-00000E-1h ** q5@s1.may.badmx.test: retry timeout exceeded`), {
    id: '1xXKlZ-00000E-1h',
    state: 'bounced',
    kind: 'permanent',
    reason: 'retry timeout exceeded',
  })
})

t.test('a long line that the system log got in parts', async (t) => {
  const line = `<22>Nov 28 15:55:13 exim[48]: [1\\2] 2026-11-28 15:55:13 1xXKlZ-00000D-1h == q5@s1.may.badmx.test ${HOST} defer (-46): SMTP error`
  t.match(reader()(line), { id: '1xXKlZ-00000D-1h', state: 'queued' })
})

t.test('a message that is completed without a word of its delivery', async (t) => {
  const read = reader()
  const id = '1xXQRc-00000000008-3p0K'
  const peerClosed = `${LOG} ${id} peer close after all rcpt responses; converting i/o-error to no-error`
  t.equal(
    read(`${LOG} ${id} == q5@s1.may.badmx.test R=dnslookup defer (-1): host lookup did not complete`)?.state,
    'queued',
  )
  t.equal(read(peerClosed), undefined)
  t.equal(read(`${LOG} ${id} ${' '.repeat(202)}`), undefined)
  t.match(read(`${LOG} ${id} Completed`), { id, state: 'delivered', reason: 'Completed, and no word of a delivery' })
  for (const mark of ['=>', '**']) {
    t.ok(read(`${LOG} ${id} ${mark} q5@s1.may.badmx.test ${HOST}`))
    t.equal(read(`${LOG} ${id} Completed`), undefined, `after ${mark} it tells nothing new`)
  }
})

t.test('whether a message was locked, by what -v says', async (t) => {
  const id = '1xXQMP-0000000000E-3CI1'
  const locked = `delivering ${id}\nLOG: skip_delivery MAIN\n  Spool file for ${id} is locked (another process is handling this message)\n`
  t.equal(foundLocked(locked, id), true)
  t.equal(foundLocked(locked.replace(`for ${id} `, ''), id), true, 'without the id')
  t.equal(
    foundLocked(`delivering ${id}\nConnecting to mx.s1.may.badmx.test [198.18.1.19]:25 ... connected\n`, id),
    false,
  )
  for (let length = 0; length < locked.length; length++)
    t.equal(foundLocked(locked.slice(0, length), id), undefined, `${length} octets tell nothing yet`)
})

t.test('stays silent on other lines', async (t) => {
  const read = reader()
  for (const line of [
    `${LOG} 1xXKlZ-00000C-1f <= a@dsn.badmx.test H=(submitter.lab.badmx.test) [127.0.0.1] P=esmtp S=662 id=1.up9ag7@badmx.test`,
    `${LOG} 1xXKlZ-00000C-1f H=mx.s1.may.badmx.test [198.18.1.21]: a TLS session is required, but an attempt to start TLS failed`,
    `${LOG} 1xXKlZ-00000C-1f TLS session: (gnutls_handshake): Handshake failed: delivering unencrypted to H=mx.s1.may.badmx.test [198.18.1.25] (not in hosts_require_tls)`,
    `${LOG} 1xXKlZ-00000C-1f Spool file is locked (another process is handling this message)`,
    '<22>Nov 28 15:55:43 exim[7]: 2026-11-28 15:55:43 exim 4.96 daemon started: pid=7, no queue runs, listening for SMTP on [127.0.0.1]:10026',
  ])
    t.equal(read(line), undefined, line)
})

t.test('is a client of the lab, in any release', async (t) => {
  t.equal(client.inLab, true)
  t.match(client.at('bullseye'), { id: 'exim@bullseye', layer: { client: 'exim', release: 'bullseye' } })
  t.match(client.policies.verify, { options: 'hosts_require_tls = *, tls_verify_hosts = *' })
  t.match(client.policies.dane, { options: 'hosts_try_dane = *' })
})
