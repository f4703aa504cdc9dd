import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { clientEnvironment } from '../clients/environment.ts'
import { LabError } from './program.ts'
import { runCommand, runProgram } from './starter.ts'

const env = clientEnvironment()
const { signal } = new AbortController()

function shell(script: string): Parameters<typeof runProgram>[0] {
  return { argv: ['sh', '-c', script], cwd: '/', env, deadlineMs: 60_000, signal }
}

t.test('lines have the times of the clock of who asked', async (t) => {
  const before = performance.now()
  const { log } = await runProgram(shell('echo one'))
  // The two clocks are told in parts of a millisecond of the same time of day.
  t.ok((log[0]?.at ?? 0) > before - 1 && (log[0]?.at ?? 0) < performance.now() + 1, `${before} ${log[0]?.at}`)
})

t.test('many at once, each with its own input and end', async (t) => {
  const results = await Promise.all(
    Array.from({ length: 40 }, (_, n) =>
      runCommand({ argv: ['sh', '-c', `cat; exit ${n}`], cwd: '/', env, input: `input ${n}` }),
    ),
  )
  t.same(
    results,
    results.map((_, n) => ({ code: n, stdout: `input ${n}`, stderr: '' })),
  )
})

t.test('a command may leave a daemon, and ends by time, signal and abort', async (t) => {
  const left = await runCommand({ argv: ['sh', '-c', 'sleep 600 & echo $!'], cwd: '/', env })
  t.equal(left.code, 0)
  t.ok(process.kill(Number(left.stdout), 'SIGKILL'), 'it was still there')
  t.equal((await runCommand({ argv: ['sleep', '600'], cwd: '/', env, timeoutMs: 50 })).code, 137)
  t.equal((await runCommand({ argv: ['sh', '-c', 'kill -SEGV $$'], cwd: '/', env })).code, 139)
  t.equal((await runCommand({ argv: ['sleep', '600'], cwd: '/', env }, AbortSignal.timeout(50))).code, 137)
  await t.rejects(runCommand({ argv: ['badmx-no-such-program'], cwd: '/', env }), /ENOENT/)
})

t.test('what is under way ends with who asked for it, however that ends', async (t) => {
  const url = new URL('./starter.js', import.meta.url).href
  const script = `const { runProgram } = await import(${JSON.stringify(url)})
    const { signal } = new AbortController()
    const argv = ['sh', '-c', 'exec >"$FIFO"; echo started; sleep 600']
    await runProgram({ argv, cwd: '/', env: process.env, deadlineMs: 600_000, signal })`
  const folder = t.testdir()
  const fifo = `${folder}/fifo`
  await runCommand({ argv: ['mkfifo', fifo], cwd: '/', env })
  const reader = spawn('cat', [fifo], { stdio: ['ignore', 'pipe', 'ignore'] })
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, FIFO: fifo },
    stdio: 'ignore',
  })
  await once(reader.stdout, 'readable')
  child.kill('SIGKILL')
  t.equal(await text(reader.stdout), 'started\n', 'nobody holds its output any more')
})

t.test('a starter that dies takes its jobs along, and another one takes over', async (t) => {
  await t.rejects(runProgram(shell('kill -KILL $PPID; sleep 600')), LabError)
  t.equal((await runProgram(shell('echo here'))).stdout, 'here\n')
})
