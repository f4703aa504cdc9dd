import t from 'tap'
import type { WireEvent } from '../wire/units.ts'
import { play, show } from './playbook.ts'
import { behaviour } from './swallow-client-hello.ts'

const HELLO = Buffer.from('1603010005010000010a', 'hex')
const HELLO_TEXT = JSON.stringify(HELLO.toString('latin1'))
const from = (end: 'client' | 'server', octets: Buffer | string): WireEvent => ({
  type: 'bytes',
  from: end,
  bytes: Buffer.from(octets as string, 'latin1'),
})
const GRANTED = [from('client', 'EHLO c\r\nSTARTTLS\r\n'), from('server', '220 go\r\n')]

t.test('drops whole records after the 220, whatever the segments', async (t) => {
  const want = ['opportunity a ClientHello arrived', `fired dropped a TLS record of 10 octets was ${HELLO_TEXT}`]
  for (let at = 0; at <= HELLO.length; at += 1) {
    const events = [...GRANTED, from('client', HELLO.subarray(0, at)), from('client', HELLO.subarray(at))]
    t.same(show(play(behaviour, {}, events)).slice(2), want, `split at ${at}`)
  }
})

t.test('hides no cleartext: it goes through, before and behind the records', async (t) => {
  const outputs = show(play(behaviour, {}, [...GRANTED, from('client', HELLO), from('client', 'MAIL FROM:<a@b>\r\n')]))
  t.same(outputs.slice(4), ['bytes from client "MAIL FROM:<a@b>\\r\\n"'])
  t.same(show(play(behaviour, {}, [...GRANTED, from('client', 'QUIT\r\n')])).slice(2), [
    'bytes from client "QUIT\\r\\n"',
  ])
})

t.test('drops nothing without a 220 to STARTTLS', async (t) => {
  const refused = [from('client', 'STARTTLS\r\n'), from('server', '454 no\r\n'), from('client', HELLO)]
  t.same(show(play(behaviour, {}, refused)).at(-1), `bytes from client ${HELLO_TEXT}`)
  const greeted = [
    from('server', '220 mx\r\n'),
    from('client', 'EHLO c\r\n'),
    from('server', '220 mx\r\n'),
    from('client', HELLO),
  ]
  t.same(show(play(behaviour, {}, greeted)).at(-1), `bytes from client ${HELLO_TEXT}`)
})
