import t from 'tap'
import { clientEnvironment } from './environment.ts'
import { type JobEnd, WorkerPool } from './workers.ts'

const DEADLINE_MS = 20_000

/** A worker that does what a job says. */
const SCRIPT = `
  const say = (message) => process.stdout.write(JSON.stringify(message) + '\\n')
  process.stdin.on('end', () => process.exit(0))
  say({ ready: true })
  const tasks = {
    answer: (job) => say({ id: job.id, answer: { pid: process.pid } }),
    die: () => { console.error('last words'); process.exit(9) },
    crash: () => process.kill(process.pid, 'SIGABRT'),
    hang: () => console.error('hanging'),
    spin: () => { for (;;); },
    retire: (job) => say({ id: job.id, answer: { pid: process.pid }, retire: true }),
    chatter: (job) => { process.stdout.write('hello\\n[]\\n7\\n{"id":-1,"answer":{}}\\n'); tasks.answer(job) },
    slow: (job) => setTimeout(() => tasks.answer(job), 50),
  }
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const job = JSON.parse(line)
    tasks[job.task](job)
  })
`

function makePool(t: { teardown(what: () => Promise<void>): void }, argv = [process.execPath, '-e', SCRIPT]) {
  const pool = new WorkerPool({ argv, env: clientEnvironment(), cwd: process.cwd() })
  t.teardown(() => pool.stop())
  const run = (task: string, deadlineMs = DEADLINE_MS, signal = new AbortController().signal) =>
    pool.run({ task }, deadlineMs, signal)
  return { pool, run }
}

function pidOf(end: JobEnd): number {
  return end.how === 'answer' ? Number(end.answer.pid) : 0
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

t.test('one process serves job after job', async (t) => {
  const { run } = makePool(t)
  const first = pidOf(await run('answer'))
  t.ok(first > 0)
  t.equal(pidOf(await run('chatter')), first)
  t.equal(pidOf(await run('answer')), first)
})

t.test('a death belongs to its own job', async (t) => {
  const { run } = makePool(t)
  const first = pidOf(await run('answer'))
  t.match(await run('die'), { how: 'died', exitCode: 9, log: [{ line: 'last words' }] })
  const second = pidOf(await run('answer'))
  t.ok(second > 0 && second !== first)
  t.match(await run('crash'), { how: 'died', signalName: 'SIGABRT' })
  t.ok(pidOf(await run('answer')) > 0)
})

t.test('a hang is ended, be it a wait or a loop', async (t) => {
  const { run } = makePool(t)
  const first = pidOf(await run('answer'))
  t.match(await run('hang', 300), { how: 'deadline', log: [{ line: 'hanging' }] })
  t.notOk(isAlive(first), 'its process is gone')
  t.match(await run('spin', 300), { how: 'deadline' })
  t.ok(pidOf(await run('answer')) > 0)
})

t.test('the deadline of a large job counts from when it has been read', async (t) => {
  // Ready, and for some time too busy to read; then it answers at once.
  const busy = `
    process.stdout.write('{"ready":true}\\n')
    process.stdin.on('end', () => process.exit(0))
    const end = Date.now() + 1500
    while (Date.now() < end);
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      process.stdout.write(JSON.stringify({ id: JSON.parse(line).id, answer: { pid: process.pid } }) + '\\n')
    })`
  const { pool } = makePool(t, [process.execPath, '-e', busy])
  const large = { raw: 'x'.repeat(1024 * 1024) }
  t.match(await pool.run(large, 1000, new AbortController().signal), { how: 'answer' })
})

t.test('a process with leftovers serves no other job', async (t) => {
  const { run } = makePool(t)
  const first = pidOf(await run('retire'))
  t.ok(first > 0)
  t.notOk(isAlive(first))
  t.ok(pidOf(await run('answer')) > 0)
})

t.test('so many at a time, and all get their turn', async (t) => {
  const { run } = makePool(t)
  const ends = await Promise.all(Array.from({ length: 20 }, () => run('slow')))
  t.ok(ends.every((end) => end.how === 'answer'))
  t.ok(new Set(ends.map(pidOf)).size <= 12)
})

t.test('an abort ends the job that it is for, under way or waiting', async (t) => {
  const { run } = makePool(t)
  const controllers = Array.from({ length: 6 }, () => new AbortController())
  const ends = controllers.map((controller) => run('hang', DEADLINE_MS, controller.signal))
  for (const controller of controllers) controller.abort()
  for (const end of await Promise.all(ends)) t.equal(end.how, 'aborted')
  t.ok(pidOf(await run('answer')) > 0, 'the pool still works')
})

t.test('stopping ends everything', async (t) => {
  const { pool, run } = makePool(t)
  const first = pidOf(await run('answer'))
  const ends = [run('hang'), run('hang')]
  await pool.stop()
  await pool.stop()
  for (const end of await Promise.all(ends)) t.equal(end.how, 'aborted')
  t.notOk(isAlive(first))
  t.equal((await run('answer')).how, 'aborted')
})

t.test('what cannot be started is the trouble of the machine', async (t) => {
  const broken = makePool(t, [process.execPath, '-e', 'throw new Error("no such library")'])
  await t.rejects(broken.run('answer'), { code: 'client-start', message: /no such library/ })
  await t.rejects(broken.run('answer'), { code: 'client-start' })
  await t.rejects(makePool(t, ['badmx-no-such-program']).run('answer'), { code: 'client-missing' })
})
