import t from 'tap'
import { client, reader } from './nullmailer.ts'

const line = (text: string): string => `nullmailer-send[message-14]: ${text}`
const id = 'message-14'

t.test('reads what nullmailer says of a message, when it has gone through its queue', async (t) => {
  const read = reader()
  t.equal(read(line('smtp: Succeeded: 250 2.6.0 OK: message queued')), undefined)
  t.equal(read(line('Sent file.')), undefined)
  t.match(read(line('Delivery complete, 0 message(s) remain.')), { id, state: 'delivered' })

  t.equal(read(line('smtp: Failed: 454 4.7.0 later')), undefined)
  t.equal(read(line('Sending failed: Temporary error in sending the message')), undefined)
  const queued = { id, state: 'queued', kind: 'temporary', reason: '454 4.7.0 later' }
  t.strictSame(read(line('Delivery complete, 1 message(s) remain.')), queued)

  read(line('smtp: Failed: 502 5.5.1 Command not implemented'))
  read(line('Sending failed: Permanent error in sending the message'))
  t.equal(read(line('Moving message 1795882884.273 into failed')), undefined)
  t.strictSame(read(line('Delivery complete, 0 message(s) remain.')), {
    id,
    state: 'bounced',
    reason: '502 5.5.1 Command not implemented',
    kind: 'permanent',
  })
})

t.test('a host that fails before one that takes the message', async (t) => {
  const read = reader()
  read(line('smtp: Failed: Connect failed'))
  read(line('Sending failed: Connection failed'))
  read(line('smtp: Succeeded: 250 OK'))
  t.match(read(line('Delivery complete, 0 message(s) remain.')), { id, state: 'delivered' })
})

t.test('its time is up, its processes crash', async (t) => {
  const read = reader()
  read(line('Sending timed out, killing protocol'))
  t.match(read(line('Delivery complete, 1 message(s) remain.')), { state: 'queued', reason: /timed out/ })
  read(line('Sending process crashed or was killed.'))
  t.match(read(line('Delivery complete, 1 message(s) remain.')), { id, state: 'crashed' })
  t.match(read('badmx: nullmailer-send[message-14]: ended by itself (SIGSEGV)'), { id, state: 'crashed' })
})

t.test('stays silent on other lines', async (t) => {
  const read = reader()
  for (const text of [
    'Rescanning queue.',
    'Starting delivery, 1 message(s) in queue.',
    'Starting delivery: host: mx.s85.encrypt.badmx.test protocol: smtp file: 1795882877.123',
    'From: <x5icoy3e@dsn.badmx.test> to: <gjd8rkmr@s2c1435021.encrypt.badmx.test>',
  ])
    t.equal(read(line(text)), undefined, text)
})

t.test('is a client of the lab, in any release', async (t) => {
  t.equal(client.inLab, true)
  t.match(client.policies.may, { unsupported: /no opportunistic TLS/ })
})
