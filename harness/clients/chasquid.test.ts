import t from 'tap'
import { client, reader } from './chasquid.ts'

const DATE = '2026-11-28 15:56:15.657504'
const attempt = (end: string): string =>
  `${DATE} S_XeE5JkX9M from=7kgokm4c@dsn.badmx.test to=yfgcpco1@sbf6ffe002.may.badmx.test ${end}`

t.test('reads what chasquid says of a message, when it has written it to its queue', async (t) => {
  const read = reader()
  t.equal(read(attempt('sent')), undefined)
  t.strictSame(read(`${DATE} S_XeE5JkX9M from=7kgokm4c@dsn.badmx.test all done`), {
    id: 'S_XeE5JkX9M',
    state: 'delivered',
    reason: 'sent',
  })
  t.equal(
    read(attempt('failed (temporary): all MXs returned transient failures (last: TLS error: 554 5.7.3 no)')),
    undefined,
  )
  t.strictSame(read(`${DATE} S_XeE5JkX9M from=7kgokm4c@dsn.badmx.test completed loop, next in 1m51s`), {
    id: 'S_XeE5JkX9M',
    state: 'queued',
    kind: 'temporary',
    reason: 'all MXs returned transient failures (last: TLS error: 554 5.7.3 no)',
  })
  read(attempt('failed (permanent): MAIL+RCPT 550 5.1.1 no'))
  t.match(read(`${DATE} S_XeE5JkX9M from=7kgokm4c@dsn.badmx.test all done`), {
    state: 'bounced',
    kind: 'permanent',
    reason: 'MAIL+RCPT 550 5.1.1 no',
  })
})

t.test('a message that is too old is given up after a temporary failure', async (t) => {
  const read = reader()
  read(attempt('failed (temporary): Could not dial'))
  t.match(read(`${DATE} S_XeE5JkX9M from=7kgokm4c@dsn.badmx.test all done`), { state: 'bounced', kind: 'permanent' })
})

t.test('a process that ends by itself has crashed', async (t) => {
  const report = reader()('badmx: the process of S_XeE5JkX9M ended by itself (status 2)')
  t.strictSame(report, { id: 'S_XeE5JkX9M', state: 'crashed', reason: 'ended by itself (status 2)' })
})

t.test('stays silent on other lines', async (t) => {
  const read = reader()
  for (const line of [
    `${DATE} S_XeE5JkX9M from=7kgokm4c@dsn.badmx.test queued ip=127.0.0.1:49634 to=[yfgcpco1@sbf6ffe002.may.badmx.test]`,
    `${DATE} daemon listening on 127.0.0.1:10025`,
    '_ queue.go:342       Queue.SendLoop S_XeE5JkX9M: all done',
    `${DATE} S_XeE5JkX9M from=7kgokm4c@dsn.badmx.test completed loop, next in 1m51s`,
  ])
    t.equal(read(line), undefined, line)
})

t.test('is a client of the lab, in any release', async (t) => {
  t.equal(client.inLab, true)
  t.match(client.at('trixie').layer, { client: 'chasquid', release: 'trixie' })
  t.match(client.policies.verify, { unsupported: /no setting for TLS/ })
})
