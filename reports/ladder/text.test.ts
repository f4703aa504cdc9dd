import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { encrypted, LEAK, stripped } from '../test/sample-ladders.ts'
import { LogBuilder } from '../test/sample-log.ts'
import { cell, HOSTILE, HOSTILE_RECORD } from '../test/sample-record.ts'
import { columns } from '../text.ts'
import { buildLadder } from './build.ts'
import { renderLadderText } from './text.ts'

t.test('a stripped session', async (t) => {
  t.equal(
    renderLadderText(stripped(), { color: false, width: 80 }),
    `▲ leak  strip/strip-ehlo-omit, verify, nodemailer
EHLO reply without STARTTLS (critical)
sent the password in clear after the EHLO reply without STARTTLS
expected  V|w:D (V = delivered to a verified peer, D = deferred, w: = tolerated,
          but flagged)
observed  delivered-cleartext
source    RFC 3207 §4.1
time      delays and deadlines divided by 10
▲ leak.credentials-clear: password in AUTH PLAIN

         nodemailer                         mx.strip-ehlo-omit.verify.badmx.test
+0.000    attempt 1, first
+0.000   │ ┌ connected to mx, 127.0.0.1:2525                                   │
+0.002   │←────────────────────────────────────────────────────── 220 mx ESMTP │
+0.003   │ EHLO client.test ──────────────────────────────────────────────────→│
+0.004   │ ◇ opportunity hide-starttls: the EHLO reply                         │
+0.004   │ ◆ fired hide-starttls: removed "250 STARTTLS"                       │
         │     kept: 250-mx                                                    │
         │   ✂ was: 250 STARTTLS                                               │
+0.004   │←──────────────────────────────────────────────────────────── 250 mx │
         │   ✎ sent in its place by hide-starttls                              │
         ⋮                             ⋮ 4.0 s
+4.004   │ AUTH PLAIN AG1lAHBhc3N3b3JkY2FuYXJ5MDE= ───────────────────────────→│
         │   ▲ leak.credentials-clear: password in AUTH PLAIN                  │
         │   ▲ leaked: password (base64) at octet 35                           │
+4.010   │ └ ended by the client, FIN                                          │

The client said, attempt 1: delivered, exit code 0
  sent
  │ < 250 ok

Reproduce: badmx run --client nodemailer --policy verify --only strip/strip-ehlo-omit
`,
  )
})

t.test('a man in the middle with TLS on one side, two connections', async (t) => {
  const text = renderLadderText(encrypted(), { color: false, width: 80 })
  t.equal(
    text.slice(text.indexOf('\n\n') + 2, text.indexOf('\n\nReproduce')),
    `             nodemailer               man in the middle                   server
+0.000   #1  │ ┌ connected to mx, 127.0.0.1:2525, and on to 127.0.0.1:25       │
+0.000   #1  │←───────────────────────────────┼────────────────────── 220 real │
+0.000   #1  │ STARTTLS ─────────────────────→│                                │
+0.000   #1  │←─────────────────────── 220 go │                                │
+0.005   #1  ║ ══ TLS up: TLSv1.3, AES                                         │
+0.005   #1  ║ EHLO ␛[2Ja ═══════════════════⇒║                                │
+0.006   #1  ║⇐═══════════════════════ 250-mx ║                                │
             ║                         250 OK ║                                │
+0.006   #1  ║                                ║ QUIT ─────────────────────────→│
+0.006   #1  │ └ ended by the client, FIN                                      │
+0.006   #2  │ ┌ connected to mx, 127.0.0.1:2525                               │
+0.006   #2  │ └ ended by the client, FIN                                      │`,
  )
})

t.test('colour adds nothing but colour', async (t) => {
  for (const ladder of [stripped(), encrypted()]) {
    const colored = renderLadderText(ladder, { color: true, width: 100 })
    const plain = renderLadderText(ladder, { color: false, width: 100 })
    t.not(colored, plain)
    t.equal(stripVTControlCharacters(colored).replace(/ +$/gm, ''), plain)
  }
})

t.test('no line is wider than asked, but for the command; hostile texts too', async (t) => {
  const hostile = HOSTILE_RECORD.cells[0] ?? LEAK
  const log = new LogBuilder(hostile.id, { hostNames: { mx: `mx.${'long-name.'.repeat(20)}test` } }).open('c1')
  log.peer('c1', `220 ${HOSTILE}${'x'.repeat(900)}\r\n`).client('c1', `EHLO ${'世'.repeat(200)} ${HOSTILE}\r\n`)
  log.add({ type: 'fired', conn: 'c1', behaviour: HOSTILE, host: 'mx', detail: HOSTILE, data: Buffer.from(HOSTILE) })
  log.add({ type: 'client', attempt: 1, word: { state: 'failed', log: [HOSTILE.repeat(9)], reason: HOSTILE } })
  log.add({ type: 'resolver-log', line: `nodata proof failed ${HOSTILE.repeat(9)}` })
  for (const ladder of [stripped(), encrypted(), buildLadder(log.events, hostile)]) {
    for (const width of [72, 80, 99, 120, 200]) {
      const lines = renderLadderText(ladder, { color: false, width }).split('\n')
      const wide = lines.filter((line) => !line.startsWith('Reproduce: ') && columns(line) > width)
      t.strictSame(wide, [], `${ladder.client} at ${width}`)
      t.notOk(lines.some((line) => /[\p{Cc}\p{Cf}]/u.test(line)))
    }
  }
})

t.test("lines of the client's log have their times, where the log tells them all", async (t) => {
  const log = new LogBuilder(LEAK.id).open('c1').peer('c1', '220 mx\r\n')
  const word = { state: 'failed', log: ['S: 220 mx', 'gave up'], reason: 'no' } as const
  const shown = (logAt?: readonly number[]): string => {
    const said = new LogBuilder(LEAK.id).at(30)
    said.add({ type: 'client', attempt: 1, word, ...(logAt === undefined ? {} : { logAt }) })
    const events = [...log.events, ...said.events]
    return renderLadderText(buildLadder(events, LEAK), { color: false, width: 100 })
  }
  t.match(shown([5002, 5029.4]), '  │ +0.002 S: 220 mx\n  │ +0.029 gave up\n')
  t.match(shown(), '  │ S: 220 mx\n  │ gave up\n', 'a log of before')
  t.match(shown([5002]), '  │ S: 220 mx\n  │ gave up\n', 'a log that is wrong')
})

t.test('a message across both gaps covers the middle line only where its text is', async (t) => {
  const long = `MAIL FROM:<${'a'.repeat(40)}@badmx.test>`
  const log = new LogBuilder(LEAK.id).open('p', { upstream: { address: '127.0.0.1', port: 25 } })
  for (const line of [`${long}\r\n`, 'DATA\r\n']) log.client('p', line).bytes('p', 'upstream', 'out', 'tcp', line)
  for (const line of [`250 ${Buffer.from('世界').toString('latin1')}\r\n`, '250-a\r\n250 b\r\n'])
    log.bytes('p', 'upstream', 'in', 'tcp', line).peer('p', line)
  const text = renderLadderText(buildLadder(log.events, cell()), { color: false, width: 80 })
  t.strictSame(text.split('\n').slice(9, 14), [
    `+0.000   │ ${long} ───→│`,
    '+0.000   │ DATA ────────────────────────────┼─────────────────────────────────→│',
    '+0.000   │←────────────────────────────────────────────────────────── 250 世界 │',
    '+0.000   │←─────────────────────────────────┼─────────────────────────── 250-a │',
    '         │                                  │                            250 b │',
  ])
})
