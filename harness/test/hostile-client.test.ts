/** Clients that do the harness harm, or themselves: each gets its verdict, and the harness goes on. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { CellRecord, RunRecord } from '../../scenarios/record.ts'
import { badmx } from './program.ts'

/** A node client that says STARTTLS and aborts the handshake after so many octets of its ClientHello, as `how` says. */
const ABORT = `
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Duplex } from 'node:stream'
const [host, port, policy] = process.argv.slice(2)
// Where it aborts is different in each cell, and the same in each run.
let left = [...(port + policy)].reduce((sum, char) => sum * 31 + char.charCodeAt(0), 7) % 700
const socket = connect(Number(port), host)
const steps = ['EHLO client.test', 'STARTTLS']
let text = ''
socket.on('error', () => process.exit(1))
socket.on('close', () => process.exit(1))
const talk = (chunk) => {
  text += chunk
  if (!/^\\d{3} [^\\n]*\\n$/m.test(text)) return
  if (!text.startsWith('2')) process.exit(1)
  text = ''
  const step = steps.shift()
  if (step !== undefined) return socket.write(step + '\\r\\n')
  socket.off('data', talk)
  const pipe = new Duplex({
    read() {},
    write(data, _, done) {
      const part = data.subarray(0, left)
      left -= part.length
      socket.write(part, () => (left > 0 ? done() : Number(port) % 2 === 0 ? socket.resetAndDestroy() : socket.end()))
    },
  })
  socket.on('data', (data) => pipe.push(data))
  connectTls({ socket: pipe, rejectUnauthorized: false }).on('error', () => process.exit(1))
}
socket.on('data', talk)
setTimeout(() => process.exit(1), 3000)
`

const IGNORE = `for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(name, () => {}); setInterval(() => {}, 1e6)`

function cells(folder: string): readonly CellRecord[] {
  return (JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as RunRecord).cells.filter(
    ({ role }) => role !== 'harness-control',
  )
}

t.test('crash, hang, flood, 127', { timeout: 110_000 }, async (t) => {
  const cwd = t.testdir({ 'ignore.mjs': IGNORE })
  const peer = '{host} {port} {policy}'
  const commands = {
    crash: `sh -c 'kill -SEGV $$' ${peer}`,
    hang: `${process.execPath} ${join(cwd, 'ignore.mjs')} ${peer}`,
    flood: `sh -c 'head -c 100000000 /dev/zero; exit 1' ${peer}`,
    unable: `sh -c 'exit 127' ${peer}`,
    temporary: `sh -c 'exit 75' ${peer}`,
  }
  const run = async (name: keyof typeof commands): Promise<CellRecord | undefined> => {
    // Without a reference client that has to be fast: the scale is for the hang alone.
    const scale = name === 'hang' ? ['--time-scale', '400'] : []
    const { stderr } = await badmx(
      t,
      cwd,
      'run',
      '--command',
      commands[name],
      '--policy',
      'may',
      '--only',
      'ctl-no-tls-peer',
      '--jobs',
      '3',
      ...scale,
      '--out',
      name,
    )
    t.notMatch(stderr, /\n {4}at |a bug of badmx/, `${name}: no stack trace`)
    return cells(join(cwd, name)).find(({ scenario }) => scenario === 'control/ctl-no-tls-peer')
  }
  t.match(await run('crash'), { verdict: 'fail', outcome: { final: 'crashed' }, reason: /SIGSEGV/ })
  t.match(await run('hang'), { verdict: 'fail', outcome: { final: 'hung' } })
  const flood = await run('flood')
  t.match(flood, { verdict: 'over-strict', outcome: { final: 'deferred' }, clientWord: { exitCode: 1 } })
  t.ok(readFileSync(join(cwd, 'flood', 'events.ndjson')).length < 2_000_000, 'a flood does not fill the log')
  t.match(await run('unable'), { verdict: 'unsupported' })
  t.match(await run('temporary'), { outcome: { final: 'deferred' }, clientWord: { kind: 'temporary' } })
  t.strictSame(readdirSync(join(cwd, 'tmp')), [], 'no temporary file is left')
})

t.test('a handshake that is aborted at any octet', { timeout: 110_000 }, async (t) => {
  const cwd = t.testdir({ 'abort.mjs': ABORT })
  const command = `${process.execPath} ${join(cwd, 'abort.mjs')} {host} {port} {policy}`
  const only = [
    '--only',
    'ctl-selfsigned,cert-expired,cert-wrong-name',
    '--policy',
    'may,encrypt,verify',
    '--repeat',
    '3',
    '--jobs',
    '4',
  ]
  const { code, stderr } = await badmx(t, cwd, 'run', '--command', command, ...only, '--out', 'out')
  t.notMatch(stderr, /\n {4}at |a bug of badmx/, 'no stack trace')
  t.ok(code === 0 || code === 1 || code === 3, `exit code ${code}`)
  const judged = cells(join(cwd, 'out'))
  t.ok(judged.length >= 27)
  for (const { id, verdict, reason } of judged) {
    t.notOk(['error', 'missing', 'leak', 'fail'].includes(verdict), `${id}: ${verdict}: ${reason}`)
    // To deliver nothing is right only where there is no TLS, or under verify where the credential is no good.
    if (verdict === 'pass') t.match(id, /ctl-no-tls-peer\/(encrypt|verify)\/|\/verify\//)
  }
  for (const { id, outcome } of judged) t.notOk(outcome.final.startsWith('delivered'), `${id}: nothing was delivered`)
})
