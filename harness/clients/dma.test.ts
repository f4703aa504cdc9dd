import t from 'tap'
import { client, reader } from './dma.ts'

const line = (text: string): string => `<22>Nov 28 16:06:20 dma[3d.560571b60f30]: ${text}`

t.test('reads what dma says of a message', async (t) => {
  const read = reader()
  t.equal(read(line('trying remote delivery to mx.s85.encrypt.badmx.test [198.18.1.15] pref 10')), undefined)
  t.equal(read(line('remote delivery deferred: STARTTLS not available: 502 5.5.1 Command not implemented')), undefined)
  t.strictSame(read('badmx: dma[3d.560571b60f30] sleeps until its next attempt'), {
    id: '3d.560571b60f30',
    state: 'queued',
    kind: 'temporary',
    reason: 'remote delivery deferred: STARTTLS not available: 502 5.5.1 Command not implemented',
  })
  t.strictSame(read(line('<i3vrd25z@s85d2306d8.none.badmx.test> delivery successful')), {
    id: '3d.560571b60f30',
    state: 'delivered',
    reason: 'delivery successful',
  })
  read(line('remote delivery to mx.y.test [198.18.1.15] failed after RCPT TO: 550 5.1.1 no'))
  t.match(read(line('delivery failed, bouncing as 3e.55cc5a3f0f30')), {
    id: '3d.560571b60f30',
    state: 'bounced',
    kind: 'permanent',
    reason: /failed after RCPT TO: 550/,
  })
  t.strictSame(read('badmx: dma[3d.560571b60f30] ended by itself (SIGSEGV)'), {
    id: '3d.560571b60f30',
    state: 'crashed',
    reason: 'ended by itself (SIGSEGV)',
  })
})

t.test('what it said of one message is no reason for another', async (t) => {
  const read = reader()
  read(line('connect to mx.y.test [198.18.1.15] failed: Connection refused'))
  t.match(read('badmx: dma[4e.55cc5a3f0f30] sleeps until its next attempt'), {
    reason: 'sleeps until its next attempt',
  })
})

t.test('stays silent on other lines', async (t) => {
  const read = reader()
  for (const text of [
    'mail to=<x@y.test> queued as 3d.560571b60f30',
    '<x@y.test> trying delivery',
    'Server greeting successfully completed',
    '  Server does not support STARTTLS',
    'SSL initialization successful',
    'remote delivery succeeded but QUIT failed: ',
  ])
    t.equal(read(line(text)), undefined, text)
})

t.test('is a client of the lab, in any release', async (t) => {
  t.equal(client.inLab, true)
  t.match(client.at('trixie').layer, { client: 'dma', release: 'trixie' })
  t.match(client.policies.verify, { unsupported: /checks no certificate/ })
})
