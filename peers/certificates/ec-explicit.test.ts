/** A key with explicit, bad parameters at real clients: those of today refuse it, OpenSSL of before CVE-2022-0778 hangs. */
import { spawn } from 'node:child_process'
import t from 'tap'
import { peer } from '../peer.ts'
import { Log } from '../testing/log.ts'
import { missing, oldNode, run } from '../testing/programs.ts'
import { createAuthority, type IssuedChain } from './authority.ts'

const authority = await createAuthority({ now: new Date('2026-05-04T12:00:00Z'), seed: 7 })
const NAMES = { host: 'mx.badmx.test', domain: 'badmx.test' }

/** A host with this certificate, TLS on connect; `fired` resolves when its certificate has left. */
async function serve(t: { teardown(done: () => unknown): void }, certificate: IssuedChain) {
  const log = new Log()
  const mx = await peer([], { log: log.sink, tls: { certificate, on: 'connect', legacy: { min: 'TLSv1.2' } } })
  t.teardown(() => mx.close())
  return { port: mx.port, log, fired: () => log.when(({ type }) => type === 'fired') }
}

/** Ends with 0 when TLS is up; of the oldest syntax. */
const client = (port: number): string =>
  `require('tls').connect({ port: ${port}, host: '127.0.0.1', rejectUnauthorized: false })
    .on('error', function () { process.exit(1) }).on('secureConnect', function () { process.exit(0) })`

for (const name of ['node-0.12', 'node-8'] as const) {
  t.test(`${name} never comes back`, { skip: oldNode(name).missing ?? false, timeout: 30_000 }, async (t) => {
    const { path } = oldNode(name)
    const sound = await serve(t, await authority.issue('good', NAMES))
    const options = ['-u', 'NODE_OPTIONS', '-u', 'NODE_EXTRA_CA_CERTS', path, '-e']
    t.equal((await run('env', [...options, client(sound.port)])).code, 0, 'a sound key is no trouble to it')
    const bad = await serve(t, await authority.issue('ec-explicit', NAMES))
    const child = spawn('env', [...options, client(bad.port)], { stdio: 'ignore' })
    const ended = new Promise<'ended'>((resolve) => child.once('close', () => resolve('ended')))
    t.teardown(() => {
      child.kill('SIGKILL')
      return ended
    })
    await bad.fired()
    // A hang is what is not over when it has had far longer than it takes. A sound handshake is over in some milliseconds.
    const late = new Promise<'still reading'>((resolve) => setTimeout(() => resolve('still reading'), 3_000))
    t.equal(await Promise.race([ended, late]), 'still reading')
    t.notOk(bad.log.of('tls').some(({ state }) => state === 'failed' || state === 'up'))
  })
}

const openssl = ['s_client', '-quiet', '-connect'] as const
const gnutls = ['--insecure', '-p'] as const
for (const [program, args] of [
  ['openssl', (port: number) => [...openssl, `127.0.0.1:${port}`]],
  ['gnutls-cli', (port: number) => [...gnutls, String(port), '127.0.0.1']],
  [process.execPath, (port: number) => ['-e', client(port)]],
] as const) {
  const name = program === process.execPath ? 'Node.js of today' : program
  const skip = program === process.execPath ? false : (missing(program) ?? false)
  t.test(`${name} refuses it, though it verifies nothing`, { skip, timeout: 30_000 }, async (t) => {
    const { port, log } = await serve(t, await authority.issue('ec-explicit', NAMES))
    t.not((await run(program, args(port))).code, 0)
    await log.when((event) => event.type === 'conn' && event.state === 'closed')
    t.strictSame(
      log.of('tls').map(({ state }) => state),
      ['hello', 'presented', 'failed'],
    )
  })
}
