import t from 'tap'
import type { CellRecord } from '../../scenarios/record.ts'
import { LogBuilder } from '../test/sample-log.ts'
import { cell, HOSTILE, HOSTILE_RECORD } from '../test/sample-record.ts'
import { buildLadder } from './build.ts'
import type { LadderRow, MessageRow } from './rows.ts'

const CELL = cell()
const log = (): LogBuilder => new LogBuilder(CELL.id)
const rowsOf = (builder: LogBuilder, of: CellRecord = CELL): readonly LadderRow[] =>
  buildLadder(builder.events, of).rows
const messagesOf = (builder: LogBuilder, of: CellRecord = CELL): MessageRow[] =>
  rowsOf(builder, of).filter((row): row is MessageRow => row.kind === 'message')

t.test('an attempt under another policy says so', async (t) => {
  const builder = log().add({ type: 'attempt', state: 'begun', attempt: 1, cause: 'first', policy: 'may' })
  t.match(rowsOf(builder), [{ kind: 'attempt', text: 'attempt 1, first, under may' }])
})

t.test('rows in order, times from the start of the cell, other cells passed over', async (t) => {
  const builder = log()
    .add({ type: 'attempt', state: 'begun', attempt: 1, cause: 'first' })
    .at(3)
    .open('c1')
    .peer('c1', '220 mx\r\n')
  builder
    .at(5)
    .client('c1', 'QUIT\r\n')
    .close('c1')
    .add({ type: 'attempt', state: 'ended', attempt: 1, cause: 'first' })
  builder.events.push(...new LogBuilder('other').open('o').peer('o', '220 other\r\n').events)
  t.match(rowsOf(builder), [
    { kind: 'attempt', at: 0, connection: 0, text: 'attempt 1, first' },
    { kind: 'connection', at: 3, connection: 1, text: 'connected to mx, 127.0.0.1:2525' },
    { kind: 'message', at: 3, from: 'server', lines: ['220 mx'] },
    { kind: 'message', at: 5, from: 'client', lines: ['QUIT'] },
    { kind: 'connection', at: 5, text: 'ended by the client, FIN' },
  ])
  t.equal(rowsOf(builder).length, 5)
})

t.test('the band of TLS: from up to its end', async (t) => {
  const tls = { type: 'tls', conn: 'c1', side: 'client' } as const
  const builder = log().open('c1').peer('c1', '220 mx\r\n').client('c1', 'STARTTLS\r\n').peer('c1', '220 go\r\n')
  builder.add({ ...tls, state: 'up', version: 'TLSv1.3', cipher: 'AES', resumed: false, clientChain: [] })
  builder
    .client('c1', 'EHLO a\r\n', 'tls')
    .peer('c1', '250 mx\r\n', 'tls')
    .add({ ...tls, state: 'closed', by: 'peer' })
  builder.client('c1', 'MAIL FROM:<a>\r\n')
  t.strictSame(
    rowsOf(builder).map((row) => row.secured.client),
    [false, false, false, false, true, true, true, false, false],
  )
  t.strictSame(
    messagesOf(builder).map((row) => row.tls),
    [false, false, false, true, true, false],
  )
})

t.test('what was tampered with is tied to what was sent in its place, and to nothing else', async (t) => {
  const original = Buffer.from('250-mx\r\n250-SIZE\r\n250 STARTTLS\r\n')
  const fired = { type: 'fired', conn: 'c1', behaviour: 'hide-starttls', host: 'mx', detail: 'removed' } as const
  const start = (): LogBuilder => log().open('c1').peer('c1', '220 mx\r\n').client('c1', 'EHLO a\r\n')
  const tampered = start()
    .add({ ...fired, data: original })
    .peer('c1', '250-mx\r\n250 SIZE\r\n')
  t.match(rowsOf(tampered).slice(-2), [
    {
      kind: 'proof',
      original: [{ gone: false }, { text: '250-SIZE', gone: false }, { text: '250 STARTTLS', gone: true }],
    },
    { kind: 'message', inPlaceBy: 'hide-starttls' },
  ])
  const without = start().add(fired).peer('c1', '250 mx\r\n')
  t.notOk(
    messagesOf(without).some((row) => row.inPlaceBy),
    'fired without an original',
  )
  const swallowed = start()
    .add({ ...fired, data: original })
    .client('c1', 'NOOP\r\n')
    .peer('c1', '250 ok\r\n')
  t.notOk(
    messagesOf(swallowed).some((row) => row.inPlaceBy),
    'nothing was sent in its place',
  )
  const command = start()
    .add({ ...fired, data: Buffer.from('EHLO a\r\n') })
    .peer('c1', '502 what\r\n')
  t.notOk(
    messagesOf(command).some((row) => row.inPlaceBy),
    'a reply is not in the place of a command',
  )
})

t.test('canaries in clear are marked with name and offset; as leaks only where judging says so', async (t) => {
  const secret = Buffer.from('\0user\0passwordcanary01').toString('base64')
  const builder = log()
    .open('c1')
    .peer('c1', '220 mx\r\n')
    .client('c1', `AUTH PLAIN ${secret}\r\n`)
    .peer('c1', '235 ok\r\n')
  builder.client('c1', 'MAIL FROM:<sendercanary0001@badmx.test>\r\n')
  const marks = (of: CellRecord): string[] =>
    messagesOf(builder, of).flatMap((row) => row.marks.map(({ kind, text }) => `${kind} ${text}`))
  t.strictSame(marks(CELL), ['canary in clear: password (base64) at octet 19', 'canary in clear: sender at octet 56'])
  const finding = {
    flag: 'leak.credentials-clear',
    weight: 'leak',
    detail: 'in AUTH PLAIN',
    conn: 'c1',
    offset: 19,
  } as const
  t.strictSame(marks({ ...CELL, findings: [finding] }), [
    'leak leak.credentials-clear: in AUTH PLAIN',
    'leak leaked: password (base64) at octet 19',
    'canary in clear: sender at octet 56',
  ])
  const kinds = (changes: object): (string | undefined)[] =>
    marks({ ...CELL, findings: [{ ...finding, ...changes }] }).map((mark) => mark.split(' ')[0])
  t.strictSame(kinds({ conn: 'c2' }), ['canary', 'canary'], 'the leak was on another connection')
  t.strictSame(kinds({ weight: 'info' }), ['info', 'canary', 'canary'], 'the policy allows it')
})

t.test('canaries inside TLS, and those that the peer sent, are not marked', async (t) => {
  const up = {
    type: 'tls',
    state: 'up',
    conn: 'c1',
    side: 'client',
    version: 'TLSv1.3',
    cipher: 'AES',
    resumed: false,
    clientChain: [],
  } as const
  const builder = log()
    .open('c1')
    .peer('c1', '220 sendercanary0001\r\n')
    .add(up)
    .client('c1', 'MAIL FROM:<sendercanary0001>\r\n', 'tls')
  t.strictSame(
    messagesOf(builder).flatMap((row) => row.marks),
    [],
  )
})

t.test('silence of a second or more is a pause; a slow message is none', async (t) => {
  const builder = log()
    .open('c1')
    .at(999)
    .peer('c1', '220 mx\r\n')
    .at(1999)
    .client('c1', 'EH')
    .at(4500)
    .client('c1', 'LO a\r\n')
  const rows = rowsOf(builder)
  t.strictSame(
    rows.map((row) => row.kind),
    ['connection', 'message', 'pause', 'message'],
  )
  t.match(rows[2], { ms: 1000, at: 1999 })
  t.match(rows[3], { began: 1999, at: 4500, pieces: 2 })
})

t.test('a man in the middle: what passes at once is one row, what is held or changed is not', async (t) => {
  const builder = log().open('c1', { upstream: { address: '127.0.0.1', port: 25 } })
  builder.bytes('c1', 'upstream', 'in', 'tcp', '220 real\r\n').peer('c1', '220 real\r\n')
  builder.at(10).client('c1', 'EHLO a\r\n').bytes('c1', 'upstream', 'out', 'tcp', 'EHLX a\r\n')
  builder.at(20).client('c1', 'NOOP\r\n').at(90).bytes('c1', 'upstream', 'out', 'tcp', 'NOOP\r\n')
  t.strictSame(
    messagesOf(builder).map(({ span, lines }) => `${span} ${lines[0]}`),
    ['both 220 real', 'client EHLO a', 'server EHLX a', 'client NOOP', 'server NOOP'],
  )
  t.strictSame(buildLadder(builder.events, CELL).lanes, ['nodemailer', 'man in the middle', 'server'])
})

t.test('long messages are abbreviated, and their length is told', async (t) => {
  const content = `${Array.from({ length: 40 }, (_, index) => `line ${index}\r\n`).join('')}.\r\n`
  const builder = log()
    .open('c1')
    .peer('c1', '220 mx\r\n')
    .client('c1', 'DATA\r\n')
    .peer('c1', '354 go\r\n')
    .client('c1', content)
  const row = messagesOf(builder).at(-1)
  t.strictSame(row?.lines.slice(5), ['line 5', `… 34 more lines, ${content.length} octets in all`, '.'])
  t.equal(row?.length, content.length)
})

t.test('a cell that never ran has a ladder too', async (t) => {
  const ladder = buildLadder([], cell({ verdict: 'missing' }))
  t.match(ladder, { rows: [], words: [], resolver: [], lanes: ['nodemailer', 'peer'], verdict: 'missing' })
})

t.test('every text of a ladder is visible text', async (t) => {
  const hostile = HOSTILE_RECORD.cells[0] ?? CELL
  const builder = new LogBuilder(hostile.id, {
    canaries: [{ name: HOSTILE, value: 'canary' }],
    hostNames: { mx: HOSTILE },
  })
  builder.open('c1').peer('c1', `220 ${HOSTILE}\r\n`).client('c1', `EHLO canary\u001b[2J\u009b1m${HOSTILE}\r\n`)
  builder.add({
    type: 'fired',
    conn: 'c1',
    behaviour: HOSTILE,
    host: HOSTILE,
    detail: HOSTILE,
    data: Buffer.from(HOSTILE),
  })
  builder.add({ type: 'tls', state: 'failed', conn: 'c1', side: 'client', reason: HOSTILE, alert: HOSTILE })
  builder.add({ type: 'tls', state: 'presented', conn: 'c1', side: 'client', chain: [Buffer.from(HOSTILE)] })
  builder.add({ type: 'client', attempt: 1, word: { state: 'failed', log: [HOSTILE], reason: HOSTILE } })
  builder.add({ type: 'resolver-log', line: HOSTILE })
  builder.add({ type: 'conn', state: 'closed', conn: 'c1', by: 'client', how: 'error', detail: HOSTILE })
  const ladder = buildLadder(builder.events, hostile)
  t.ok(ladder.rows.length >= 6)
  const strings: string[] = []
  JSON.stringify(ladder, (_, value: unknown) => {
    if (typeof value === 'string') strings.push(value)
    return value
  })
  for (const text of strings) t.notMatch(text, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
})
