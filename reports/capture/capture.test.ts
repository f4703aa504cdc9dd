/** Captures, read by tshark. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { LogEvent, RunBegun } from '../../scenarios/events.ts'
import { LogBuilder } from '../test/sample-log.ts'
import { HOSTILE } from '../test/sample-record.ts'
import { hasCapture, lacksRecords, renderCapture } from './capture.ts'
import { capturePath } from './path.ts'

const RUN: RunBegun = {
  ...{ type: 'run', t: 0, schema: 'badmx/events/1', badmx: '0.1.0', seed: 1, startedAt: '2026-01-02T03:04:05.678Z' },
  ...{ timeScale: 1, shard: '1/1', node: '20', openssl: '3', clients: [], plan: '', cells: [], capture: true },
}

const tshark = spawnSync('tshark', ['--version'], { timeout: 30_000 }).status === 0
const options = { skip: tshark ? false : 'tshark is not on this machine', timeout: 120_000 }

/** What tshark says of the fields, a line per packet. */
function read(folder: string, capture: Buffer | undefined, ...fields: readonly string[]): string[] {
  const file = join(folder, 'capture.pcapng')
  writeFileSync(file, capture ?? '')
  const checks = ['-o', 'tcp.check_checksum:TRUE', '-o', 'ip.check_checksum:TRUE', '-o', 'udp.check_checksum:TRUE']
  const wanted = fields.flatMap((field) => ['-e', field])
  const args = ['-n', ...checks, '-r', file, '-T', 'fields', '-E', 'separator=|', ...wanted]
  const { status, stdout, stderr } = spawnSync('tshark', args, { encoding: 'utf8', timeout: 60_000 })
  if (status !== 0) throw new Error(`tshark could not read it: ${stderr}`)
  return stdout.trimEnd().split('\n')
}

function session(): readonly LogEvent[] {
  const log = new LogBuilder('a/b/may/c').open('c1')
  log.at(2).peer('c1', '220 mx ESMTP\r\n').at(3).client('c1', 'EHLO client.test\r\n')
  log.at(4).add({ type: 'fired', conn: 'c1', behaviour: 'hide-starttls', host: 'mx', detail: 'removed "250 STARTTLS"' })
  log.peer('c1', '250-mx\r\n250 OK\r\n').at(5).client('c1', 'MAIL FROM:<a@b.test>\r\n').peer('c1', '250 ok\r\n')
  log.at(6).client('c1', 'DATA\r\n').peer('c1', '354 go\r\n').at(7).client('c1', 'x'.repeat(40_000))
  log.at(8).add({
    ...{ type: 'bytes', conn: 'c1', side: 'client', direction: 'in', layer: 'tcp', data: Buffer.from('\r\n.\r\n') },
    elided: { length: 5005, sha256: '', hits: [] },
  })
  log.at(9).peer('c1', '250 ok\r\n').at(10).client('c1', 'QUIT\r\n').at(11.5).close('c1')
  return log.events
}

t.test('a session in clear: TCP is whole, SMTP is seen, times are those of the log', options, async (t) => {
  const folder = t.testdir({})
  const capture = renderCapture(session(), RUN)
  const lines = read(
    folder,
    capture,
    'frame.time_epoch',
    'tcp.flags.str',
    'tcp.seq',
    'tcp.ack',
    'tcp.len',
    'tcp.dstport',
  )
  t.strictSame(
    lines.slice(0, 4).map((line) => line.replaceAll('·', '').split('|').slice(0, 5).join(' ')),
    [
      '1767323050.678000000 S 0 0 0',
      '1767323050.678000000 AS 0 1 0',
      '1767323050.678000000 A 1 1 0',
      '1767323050.680000000 AP 1 1 14',
    ],
  )
  t.match(lines.at(-3), /^1767323050\.689500000\|/)
  const verdicts = read(folder, capture, 'tcp.checksum.status', 'ip.checksum.status', '_ws.malformed')
  t.strictSame([...new Set(verdicts)], ['1|1|'], 'every checksum is right')
  const expert = read(folder, capture, 'tcp.analysis.flags', 'tcp.analysis.lost_segment', 'frame.comment')
  t.strictSame(
    expert.filter((line) => !line.startsWith('|')).map((line) => line.split('|').at(-1)),
    ['5,000 octets before this are not in the event log', ''],
    'what the log left out, and the answer to it, are all that is odd',
  )
  const smtp = read(folder, capture, 'smtp.req.command', 'smtp.response.code').filter((line) => line !== '|')
  t.strictSame(smtp, ['|220', 'EHLO|', '|250', 'MAIL|', '|250', 'DATA|', '|354', '|250', 'QUIT|'])
})

t.test('comments: what was made up, what fired, what is not there', options, async (t) => {
  const folder = t.testdir({})
  const comments = read(folder, renderCapture(session(), RUN), 'frame.comment').filter((line) => line !== '')
  t.strictSame(comments, [
    'connection to mx, 127.0.0.1; it really listens on port 2525',
    'hide-starttls fired: removed "250 STARTTLS"',
    '5,000 octets before this are not in the event log',
    'ended by the client, fin',
  ])
  const { stdout } = spawnSync('capinfos', [join(folder, 'capture.pcapng')], { encoding: 'utf8', timeout: 30_000 })
  t.match(stdout, /Reconstructed by badmx from its event log: .* IP and TCP headers are made up/)
  t.match(stdout, /badmx 0\.1\.0/)
})

t.test('DNS, a proxied server, a reset, connections that would collide', options, async (t) => {
  const query = Buffer.from(
    '123401000001000000000000026d78046261646d7804746573740000010001'.replace('7804', '7805'),
    'hex',
  )
  const stub = { address: '127.0.0.53', port: 53 }
  const log = new LogBuilder('a/b/may/c')
  const about = { type: 'dns', at: 'stub', local: stub, peer: { address: '127.0.0.1', port: 4000 } } as const
  log.add({ ...about, direction: 'in', transport: 'tcp', data: query })
  for (const port of [2525, 2526]) {
    const conn = `c${port}`
    const changes = { local: { address: '127.0.0.1', port }, remote: { address: '127.0.0.1', port: 50_000 } }
    log.open(conn, { ...changes, upstream: { address: '127.0.0.9', port: 25 } })
    log.bytes(conn, 'upstream', 'in', 'tcp', '220 real\r\n').peer(conn, '220 real\r\n')
    log.add({ type: 'conn', state: 'closed', conn, by: 'client', how: 'rst' })
  }
  const lines = read(
    t.testdir({}),
    renderCapture(log.events, RUN),
    'dns.qry.name',
    'tcp.stream',
    'tcp.flags.reset',
    'frame.comment',
  )
  t.match(lines[0], /^[^|]+\|\|\|at the stub, really over TCP$/)
  t.equal(new Set(lines.map((line) => line.split('|')[1])).size, 5, 'four streams, and the query')
  t.equal(lines.filter((line) => line.split('|')[2] === 'True' || line.split('|')[2] === '1').length, 4)
})

t.test('the connection to the server behind has its own ends, or none where it never came up', options, async (t) => {
  const log = new LogBuilder('a/b/may/c').open('c1', { upstream: { address: 'mx.real.test', port: 2525 } })
  log.open('c2', { upstream: { address: 'mx.real.test', port: 2525 } })
  log.at(3).add({
    ...{ type: 'upstream', conn: 'c1' },
    ...{ local: { address: '192.0.2.1', port: 4711 }, remote: { address: '192.0.2.9', port: 2525 } },
  })
  log.bytes('c1', 'upstream', 'in', 'tcp', '220 real\r\n').close('c1').close('c2')
  const fields = ['tcp.stream', 'ip.src', 'tcp.srcport', 'ip.dst', 'tcp.dstport', 'frame.comment'] as const
  const lines = read(t.testdir({}), renderCapture(log.events, RUN), 'frame.time_epoch', 'tcp.flags.str', ...fields)
  const behind = lines.filter((line) => line.includes('192.0.2.1'))
  t.equal(
    behind[0]?.replaceAll('·', ''),
    '1767323050.681000000|S|2|192.0.2.1|4711|192.0.2.9|25|on to the server behind the man in the middle, 192.0.2.9; it really listens on port 2525',
  )
  t.equal(new Set(lines.map((line) => line.split('|')[2])).size, 3, 'c2 came no further')
})

t.test('no capture pretends that what was inside TLS crossed in clear', async (t) => {
  const { capture: _capture, ...without } = RUN
  const log = new LogBuilder('a/b/may/c').open('c1').peer('c1', '220 mx\r\n')
  t.ok(renderCapture(log.events, without), 'a session in clear needs no records')
  log.add({ type: 'tls', state: 'failed', conn: 'c1', side: 'client', reason: 'no' })
  t.ok(lacksRecords(log.events, without))
  t.notOk(hasCapture(log.events, without))
  t.equal(renderCapture(log.events, without), undefined)
  t.ok(renderCapture(log.events, RUN))
  t.equal(renderCapture(new LogBuilder('a/b/may/c').events, RUN), undefined, 'nothing crossed')
})

t.test('its path leads nowhere else', async (t) => {
  const path = (id: string): string => capturePath({ id })
  t.equal(path('strip/strip-ehlo-omit/may/curl#2'), 'cells/strip/strip-ehlo-omit/may/curl#2/capture.pcapng')
  t.equal(path('a/../../may/.x'), 'cells/a/_/_/may/_x/capture.pcapng')
  t.notMatch(path(HOSTILE), /[^\w./@#+-]|\.\./)
})
