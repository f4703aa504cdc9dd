import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test as Tap } from 'tap'
import { packageRoot } from '../../peers/package-root.ts'
import type { ClientAdapter, Delivery } from '../../scenarios/client.ts'
import { policySupport } from './environment.ts'
import { probeProgram } from './program-client.ts'
import { shimClient } from './shim.ts'
import { makeClientCertificate, makeDelivery, startPeer } from './testing/peer.ts'

/** The examples are those that README.md shows. */
const readme = await readFile(join(packageRoot(), 'harness/clients/README.md'), 'utf8')

function example(language: string): string {
  return new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'm').exec(readme)?.[1] ?? ''
}

async function check(t: Tap, client: ClientAdapter): Promise<void> {
  const running = await client.start()
  t.teardown(() => running.stop())
  const send = async (port: number, changes: Partial<Delivery>) =>
    running.deliver(await makeDelivery(t, port, changes), new AbortController().signal)
  const sound = await startPeer(t, { auth: true })
  const plain = await startPeer(t, { tls: 'none' })
  const otherName = await startPeer(t, { certificate: 'other-name' })
  const refusing = await startPeer(t, { rcpt: 550 })
  const credentials = { user: 'canary-user', password: 'canary-password' }
  t.match(await send(sound.port, { policy: 'verify', credentials }), { state: 'delivered' })
  t.match(sound.messages, [{ secure: true, helo: 'client.badmx.test', to: 2 }])
  t.same(sound.logins, [{ ...credentials, secure: true }])
  t.match(await send(plain.port, { policy: 'may' }), { state: 'delivered' })
  t.match(await send(plain.port, { policy: 'encrypt' }), { state: 'failed' })
  t.match(await send(otherName.port, { policy: 'encrypt' }), { state: 'delivered' })
  t.match(await send(otherName.port, { policy: 'verify' }), { state: 'failed' })
  t.match(await send(refusing.port, { policy: 'none', to: ['one@badmx.test'] }), { state: 'failed' })
  const clientCertificate = await makeClientCertificate(t)
  const refused = await send(sound.port, { policy: 'verify', clientCertificate })
  t.match(refused, { state: 'unsupported', reason: 'not in this shim' })
  t.same([plain.messages.length, otherName.messages.length, refusing.messages.length], [1, 1, 0])
}

t.test('a shim in JavaScript', async (t) => {
  // beside node_modules, where it finds nodemailer
  const folder = t.testdir({ 'my-shim.mjs': example('js') })
  const client = shimClient({ command: `node ${join(folder, 'my-shim.mjs')}` })
  t.match(client, { id: 'my-shim', name: 'my-shim.mjs' })
  await check(t, client)
})

const python = await probeProgram(['python3', '--version'], 'apt-get install python3')

t.test('a shim in Python', { skip: python.found ? false : `no python3: ${python.install}` }, async (t) => {
  const folder = t.testdir({ 'my_shim.py': example('python') })
  await check(t, shimClient({ command: `python3 -I '${join(folder, 'my_shim.py')}'` }))
})

t.test('a shim that dies is a crash, and one that is silent hangs', async (t) => {
  const script = (answer: string) =>
    `process.stdout.write('{"ready":true}\\n'); process.stdin.on('data', () => { ${answer} })`
  const folder = t.testdir({ 'dies.cjs': script('process.exit(3)'), 'silent.cjs': script('') })
  for (const [name, state] of [
    ['dies', 'crashed'],
    ['silent', 'hung'],
  ] as const) {
    const running = await shimClient({ command: `node ${join(folder, `${name}.cjs`)}` }).start()
    t.teardown(() => running.stop())
    const delivery = await makeDelivery(t, 25, { deadlineMs: name === 'silent' ? 300 : 20_000 })
    t.match(await running.deliver(delivery, new AbortController().signal), { state })
  }
})

t.test('what cannot be run', async (t) => {
  t.throws(() => shimClient({ command: '' }), { code: 'command-line', message: /empty/ })
  t.throws(() => shimClient({ command: 'node x | tee' }), { code: 'command-line' })
  const missing = shimClient({ command: 'no-such-interpreter x.js' })
  t.match(await missing.probe(), { found: false, install: /no-such-interpreter/ })
  await t.rejects(missing.start(), { code: 'client-missing' })
  t.match(policySupport(missing, 'dane'), { unsupported: /lab/ })
})
