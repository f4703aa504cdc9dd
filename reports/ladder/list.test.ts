import t from 'tap'
import { encrypted, stripped } from '../test/sample-ladders.ts'
import { LogBuilder } from '../test/sample-log.ts'
import { cell } from '../test/sample-record.ts'
import { buildLadder } from './build.ts'
import { ladderItems } from './list.ts'
import type { Ladder } from './rows.ts'

function lines(ladder: Ladder): string[] {
  return ladderItems(ladder).map(({ time, text, more }) => [`${time ?? '-'} ${text}`, ...more].join('\n  '))
}

t.test('a stripped session in sentences', async (t) => {
  t.strictSame(lines(stripped()), [
    '+0.000 s attempt 1, first',
    '+0.000 s connected to mx, 127.0.0.1:2525',
    '+0.002 s mx.strip-ehlo-omit.verify.badmx.test → nodemailer, in clear: 220 mx ESMTP',
    '+0.003 s nodemailer → mx.strip-ehlo-omit.verify.badmx.test, in clear: EHLO client.test',
    '+0.004 s ◇ opportunity hide-starttls: the EHLO reply',
    '+0.004 s ◆ fired hide-starttls: removed "250 STARTTLS"\n  kept: 250-mx\n  ✂ was: 250 STARTTLS',
    '+0.004 s mx.strip-ehlo-omit.verify.badmx.test → nodemailer, in clear: 250 mx\n  ✎ sent in its place by hide-starttls',
    '- pause of 4.0 s',
    '+4.004 s nodemailer → mx.strip-ehlo-omit.verify.badmx.test, in clear: AUTH PLAIN AG1lAHBhc3N3b3JkY2FuYXJ5MDE=\n  ▲ leak.credentials-clear: password in AUTH PLAIN\n  ▲ leaked: password (base64) at octet 35',
    '+4.010 s ended by the client, FIN',
  ])
})

t.test('TLS, three parties and several connections are said in words', async (t) => {
  const all = lines(encrypted())
  t.ok(all.includes('+0.000 s #1 server → nodemailer, in clear: 220 real'), all.join('\n'))
  t.ok(all.includes('+0.005 s #1 nodemailer → man in the middle, in TLS: EHLO ␛[2Ja'))
  t.ok(all.includes('+0.006 s #1 man in the middle → server, in clear: QUIT'))
  t.ok(all.some((line) => line.startsWith('+0.006 s #2 connected')))
})

t.test('a flood is cut, and what is cut is counted', async (t) => {
  const log = new LogBuilder(cell().id).open('c1')
  for (let line = 0; line < 500; line++) log.at(line).client('c1', `NOOP ${line}\r\n`)
  const items = ladderItems(buildLadder(log.events, cell()))
  t.equal(items.length, 121)
  t.match(items[90], { text: '… 381 rows left out …' })
  t.match(items.at(-1)?.text, /NOOP 499$/)
})
