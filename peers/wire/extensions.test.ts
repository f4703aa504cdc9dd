import t from 'tap'
import { command, reply, show } from '../behaviours/playbook.ts'
import { type Offer, offerExtensions, soundOffer } from './extensions.ts'
import type { WireEvent } from './units.ts'

const OFFER: Offer = { beforeTls: ['PIPELINING', 'SIZE 10'], afterTls: ['SIZE 10', 'AUTH PLAIN'], starttls: true }

function play(offer: Offer, events: readonly WireEvent[]): string[] {
  const layer = offerExtensions(offer)
  return show(events.flatMap((event) => [...layer.on(event)]))
}

t.test('says what is offered when, in place of what the server says', async (t) => {
  t.strictSame(
    play(OFFER, [command(1, 'EHLO c'), reply(1, '250-mx hello\r\n250-STARTTLS\r\n250 CHUNKING\r\n')]).slice(1),
    ['reply 1 "250-mx hello\\r\\n250-PIPELINING\\r\\n250-SIZE 10\\r\\n250 STARTTLS\\r\\n"'],
  )
  t.strictSame(play(OFFER, [command(1, 'EHLO c', true), reply(1, '250 mx hello\r\n', true)]).slice(1), [
    'reply 1 "250-mx hello\\r\\n250-SIZE 10\\r\\n250 AUTH PLAIN\\r\\n"',
  ])
})

t.test('nothing to offer leaves the greeting, as the last line', async (t) => {
  const nothing: Offer = { beforeTls: [], afterTls: [], starttls: false }
  t.strictSame(play(nothing, [command(1, 'EHLO c'), reply(1, '250-mx\r\n250 SIZE 1\r\n')]).slice(1), [
    'reply 1 "250 mx\\r\\n"',
  ])
})

t.test('acts on each EHLO once, and on pipelined ones by their ids', async (t) => {
  const outputs = play(OFFER, [
    command(1, 'EHLO a'),
    command(2, 'EHLO b'),
    reply(2, '250 second\r\n'),
    reply(1, '250 first\r\n'),
    reply(1, '250 again\r\n'),
  ])
  t.match(outputs.slice(2), [/^reply 2 "250-second/, /^reply 1 "250-first/, 'reply 1 "250 again\\r\\n"'])
})

t.test('leaves HELO, refusals and other replies alone', async (t) => {
  t.strictSame(play(OFFER, [command(1, 'HELO c'), reply(1, '250 mx\r\n')]), [
    'command 1 "HELO c\\r\\n"',
    'reply 1 "250 mx\\r\\n"',
  ])
  t.strictSame(play(OFFER, [command(1, 'EHLO c'), reply(1, '501 no\r\n')]).slice(1), ['reply 1 "501 no\\r\\n"'])
  t.strictSame(play(OFFER, [reply(0, '220 mx\r\n'), reply(null, '421 bye\r\n')]), [
    'reply 0 "220 mx\\r\\n"',
    'reply null "421 bye\\r\\n"',
  ])
})

t.test('refuses STARTTLS where it is not offered, outside TLS', async (t) => {
  const without = { ...OFFER, starttls: false }
  t.strictSame(play(without, [command(1, 'STARTTLS')]), ['reply 1 "502 5.5.1 Command not implemented\\r\\n"'])
  t.strictSame(play(OFFER, [command(1, 'STARTTLS')]), ['command 1 "STARTTLS\\r\\n"'])
})

t.test('the sound offer has AUTH inside TLS only, and only with passwords', async (t) => {
  for (const passwords of [true, false]) {
    const offer = soundOffer(true, passwords)
    t.notOk(offer.beforeTls.some((keyword) => keyword.startsWith('AUTH')))
    t.equal(
      offer.afterTls.some((keyword) => keyword.startsWith('AUTH')),
      passwords,
    )
    t.notOk([...offer.beforeTls, ...offer.afterTls].includes('STARTTLS'))
  }
})
