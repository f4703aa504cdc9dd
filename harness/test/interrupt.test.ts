/** A run that is ended from outside: what is done is kept, and nothing goes on. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { runRecordSchema } from '../../reports/schema.ts'
import type { LogEvent } from '../../scenarios/events.ts'
import { readLog } from '../../scenarios/judge/log.ts'
import type { RunRecord } from '../../scenarios/record.ts'
import { type Program, startBadmx, type Test } from './program.ts'

/** Tells its process id and that of a child in a file named after itself, and never ends by itself. */
const HANG = `
import { spawn } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {})
const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' })
const place = join(process.argv[2], 'pid-' + process.pid)
writeFileSync(place + '.part', JSON.stringify({ pids: [process.pid, child.pid], port: Number(process.argv[4]) }))
renameSync(place + '.part', place)
setInterval(() => {}, 1e6)
`

/** Milliseconds that the system may take to end what was killed. */
const PATIENCE_MS = 10_000

interface Told {
  readonly pids: readonly number[]
  readonly port: number
}

/** Resolves when `look` is true; rejects when it never becomes so. */
async function until(look: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; !look(); await delay(20)) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`)
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A zombie that nobody has waited for is dead.
    return !/^State:\s+Z/m.test(existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, 'latin1') : '')
  } catch {
    return false
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

/** A run in which two clients hang and workers idle; resolves when it is in the middle of it. */
async function hanging(t: Test, cwd: string): Promise<{ run: Program; told: readonly Told[] }> {
  const command = `${process.execPath} ${join(cwd, 'hang.mjs')} ${cwd} {host} {port} {policy}`
  const line = [
    'run',
    '--command',
    command,
    '--client',
    'nodemailer,reference',
    '--policy',
    'may',
    '--only',
    'strip/strip-ehlo-4*',
    '--out',
    'out',
    '--time-scale',
    '10',
    '--jobs',
    '8',
  ]
  const run = startBadmx(t, cwd, ...line)
  const files = (): string[] => readdirSync(cwd).filter((name) => /^pid-\d+$/.test(name))
  const over = run.ended.then(({ stdout, stderr }) => Promise.reject(new Error(`ended early: ${stdout}${stderr}`)))
  await Promise.race([until(() => files().length >= 2, 'two clients'), over])
  over.catch(() => {})
  const told = files().map((name) => JSON.parse(readFileSync(join(cwd, name), 'utf8')) as Told)
  return { run, told }
}

async function nothingIsLeft(told: readonly Told[]): Promise<void> {
  await until(() => !told.some(({ pids }) => pids.some(alive)), 'the clients and their children to be gone')
  for (const { port } of told) if (await listens(port)) throw new Error(`port ${port} still listens`)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`${signal} in the middle of a run`, { timeout: 60_000 }, async (t) => {
    const cwd = t.testdir({ 'hang.mjs': HANG })
    const { run, told } = await hanging(t, cwd)
    run.child.kill(signal)
    const { code, stdout, stderr } = await run.ended
    t.equal(code, 130)
    t.match(stderr, /badmx: interrupted/)
    t.notMatch(stderr, /\n {4}at |a bug of badmx/)
    t.match(stdout, /the run was interrupted/)
    const record = JSON.parse(readFileSync(join(cwd, 'out', 'run.json'), 'utf8')) as RunRecord
    t.ok(runRecordSchema.safeParse(record).success, 'the record is whole')
    t.equal(record.interrupted, true)
    t.ok(
      record.cells.some(({ client, verdict }) => client === 'node' && verdict === 'missing'),
      'what was cut short has no verdict',
    )
    t.notOk(
      record.cells.some(({ client, verdict }) => client === 'node' && verdict === 'fail'),
      'and least of all one that says that it hung',
    )
    const events: LogEvent[] = [...readLog(readFileSync(join(cwd, 'out', 'events.ndjson'), 'utf8'), 'log')]
    t.match(events.at(-1), { type: 'end', interrupted: true })
    await nothingIsLeft(told)
    t.strictSame(readdirSync(join(cwd, 'tmp')), [], 'no temporary file is left')
  })
}

t.test('the harness is killed', { timeout: 60_000 }, async (t) => {
  const cwd = t.testdir({ 'hang.mjs': HANG })
  const { run, told } = await hanging(t, cwd)
  const workers = childrenOf(run.child.pid ?? 0)
  t.ok(workers.length >= told.length, 'it has children')
  run.child.kill('SIGKILL')
  t.match(await run.ended, { code: null, signal: 'SIGKILL' })
  await nothingIsLeft(told)
  await until(() => !workers.some(alive), 'its children to be gone')
  const events = [...readLog(readFileSync(join(cwd, 'out', 'events.ndjson'), 'utf8'), 'log')]
  t.match(events[0], { type: 'run' }, 'what had been written can be read')
})

/** From /proc; where there is none, only the clients are looked at. */
function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`
  if (!existsSync(file)) return []
  return readFileSync(file, 'latin1')
    .trim()
    .split(' ')
    .filter((word) => word !== '')
    .map(Number)
}
