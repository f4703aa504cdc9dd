import { execFileSync } from 'node:child_process'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { clientEnvironment } from '../clients/environment.ts'
import { KEPT_OUTPUT, LabError, type ProgramJob, Tail } from './program.ts'
import { runProgram } from './starter.ts'

type Job = ProgramJob & { readonly signal: AbortSignal }

const DEADLINE_MS = 20_000

function job(argv: readonly string[], cwd: string, more: Partial<Job> = {}): Job {
  return { argv, cwd, env: clientEnvironment(), deadlineMs: DEADLINE_MS, signal: new AbortController().signal, ...more }
}

function shell(script: string, cwd: string, more: Partial<Job> = {}): Job {
  return job(['sh', '-c', script, 'sh'], cwd, more)
}

/** Alive means more than a zombie that nobody has waited for. */
function isAlive(pid: string): boolean {
  try {
    return !/^Z|^$/.test(execFileSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' }).trim())
  } catch {
    return false
  }
}

t.test('gives status, outputs and input', async (t) => {
  const result = await runProgram(shell('cat; echo oops >&2; exit 3', t.testdir(), { input: Buffer.from('hello') }))
  const { log, ...rest } = result
  t.same(rest, { ended: 'exit', exitCode: 3, stdout: 'hello', stderr: 'oops\n' })
  t.same(log.map(({ line }) => line).sort(), ['hello', 'oops'])
})

t.test('arguments reach the program as they are', async (t) => {
  const words = ['$HOME', '*', 'a b', "it's", '']
  const result = await runProgram(job(['printf', '<%s>', ...words], t.testdir()))
  t.equal(result.stdout, words.map((word) => `<${word}>`).join(''))
})

t.test('a flood keeps its end only', async (t) => {
  const result = await runProgram(shell('yes 0123456789 | head -c 8000000; echo; echo the end', t.testdir()))
  t.equal(result.ended, 'exit')
  t.equal(result.stdout.length, KEPT_OUTPUT)
  t.ok(result.stdout.endsWith('\nthe end\n'))
})

t.test('a tail keeps the last octets however they come', async (t) => {
  for (const piece of [1000, KEPT_OUTPUT - 1, KEPT_OUTPUT, KEPT_OUTPUT + 1, 5 * KEPT_OUTPUT]) {
    const whole = Buffer.from(Array.from({ length: 6 * KEPT_OUTPUT }, (_, index) => 97 + (index % 25)))
    const tail = new Tail()
    for (let at = 0; at < whole.length; at += piece) tail.add(whole.subarray(at, at + piece))
    t.equal(tail.text(), whole.subarray(-KEPT_OUTPUT).toString())
  }
})

t.test('the lines of a tail have the times at which they were whole', async (t) => {
  const tail = new Tail()
  const came: number[] = []
  const before = (): number => came.at(-1) ?? 0
  for (const chunk of ['one\r\ntw', 'o', '\nthree\nfour\nfi', 've']) {
    // The clock is fine, but two chunks may fall on one tick of it.
    while (performance.now() <= before());
    came.push(performance.now())
    tail.add(Buffer.from(chunk))
  }
  const log = tail.log()
  t.same(
    log.map(({ line }) => line),
    ['one', 'two', 'three', 'four', 'five'],
  )
  const chunkOf = (at: number): number => came.findLastIndex((each) => each <= at)
  t.same(
    log.map(({ at }) => chunkOf(at)),
    [0, 2, 2, 2, 3],
  )
  tail.add(Buffer.from(`\n${'x'.repeat(KEPT_OUTPUT)}\nend\n`))
  t.same(
    tail.log().map(({ line }) => line.length),
    [32 * 1024 - 5, 3],
    'of a flood the end',
  )
  tail.clear()
  t.same(tail.log(), [])
  tail.add(Buffer.from('\n\na'))
  t.same(
    tail.log().map(({ line }) => line),
    ['', '', 'a'],
  )
})

t.test('death by a signal is told', async (t) => {
  const result = await runProgram(shell('kill -SEGV $$', t.testdir()))
  t.equal(result.ended, 'signal')
  t.equal(result.signalName, 'SIGSEGV')
})

t.test('a program that does not read its input is none of our business', async (t) => {
  const result = await runProgram(shell('exec <&-; exit 0', t.testdir(), { input: Buffer.alloc(2_000_000) }))
  t.same([result.ended, result.exitCode], ['exit', 0])
})

t.test('the deadline kills the whole group', async (t) => {
  const script = 'trap "" TERM; sleep 600 & echo $$ $!; wait'
  const result = await runProgram(shell(script, t.testdir(), { deadlineMs: 500 }))
  t.equal(result.ended, 'deadline')
  const pids = result.stdout.trim().split(' ')
  t.equal(pids.length, 2, result.stdout)
  for (const pid of pids) t.notOk(isAlive(pid), `process ${pid}`)
})

t.test('an abort kills the whole group', async (t) => {
  const cwd = t.testdir()
  const fifo = join(cwd, 'pids')
  execFileSync('mkfifo', [fifo])
  const controller = new AbortController()
  const running = runProgram(shell('sleep 600 & echo $$ $! > pids; wait', cwd, { signal: controller.signal }))
  const pids = (await readFile(fifo, 'utf8')).trim().split(' ')
  t.ok(pids.every(isAlive), 'they were there')
  controller.abort()
  t.equal((await running).ended, 'aborted')
  for (const pid of pids) t.notOk(isAlive(pid), `process ${pid}`)
})

t.test('what it leaves in the background ends with it', async (t) => {
  const result = await runProgram(shell('sleep 600 & echo $!', t.testdir()))
  t.equal(result.ended, 'exit')
  t.notOk(isAlive(result.stdout.trim()))
})

t.test('an aborted run starts nothing', async (t) => {
  const cwd = t.testdir()
  const result = await runProgram(shell('touch started', cwd, { signal: AbortSignal.abort() }))
  t.equal(result.ended, 'aborted')
  await t.rejects(readFile(join(cwd, 'started')))
})

t.test('a program that is not there is the trouble of the machine', async (t) => {
  const missing = runProgram(job(['badmx-no-such-program'], t.testdir()))
  await t.rejects(missing, { code: 'client-missing', message: /badmx-no-such-program/ })
  const folder = t.testdir({ program: 'not executable' })
  await t.rejects(runProgram(job(['./program'], folder)), { code: 'client-missing' })
})

t.test('a program that cannot be executed is too', async (t) => {
  const folder = t.testdir()
  const file = join(folder, 'broken')
  await writeFile(file, '#!/no/such/interpreter\n')
  await chmod(file, 0o755)
  await t.rejects(runProgram(job([file], folder)), LabError)
})

t.test('the environment of a client', async (t) => {
  const outside = {
    https_proxy: 'http://127.0.0.1:1',
    NODE_TLS_REJECT_UNAUTHORIZED: '0',
    SSL_CERT_FILE: '/x',
    KEPT: 'yes',
  }
  const before = { ...process.env }
  t.teardown(() => {
    for (const name of Object.keys(outside)) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  })
  Object.assign(process.env, outside)
  const environment = clientEnvironment({ HOME: '/folder' })
  t.match(environment, { KEPT: 'yes', HOME: '/folder', LC_ALL: 'C', PATH: process.env.PATH })
  for (const name of Object.keys(outside)) if (name !== 'KEPT') t.notOk(name in environment, name)
})
