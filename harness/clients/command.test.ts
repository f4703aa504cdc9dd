import t from 'tap'
import type { ClientWord, Delivery } from '../../scenarios/client.ts'
import { commandClient } from './command.ts'
import { policySupport } from './environment.ts'
import { MESSAGE, makeDelivery, startPeer } from './testing/peer.ts'

type Test = Parameters<typeof makeDelivery>[0]

async function send(t: Test, template: string, changes: Partial<Delivery> = {}, port = 25): Promise<ClientWord> {
  const running = await commandClient({ template }).start()
  t.teardown(() => running.stop())
  return running.deliver(await makeDelivery(t, port, changes), new AbortController().signal)
}

const TO = '{host} {port}'

t.test('a real command delivers', async (t) => {
  const { found } = await commandClient({ template: `curl ${TO}` }).probe()
  if (!found) return t.end()
  const peer = await startPeer(t)
  const template =
    'curl -q -sS --ssl-reqd --cacert {ca} --connect-to {name}:{port}:{host}:{port} smtp://{name}:{port}/x.badmx.test' +
    ' --mail-from {from} --mail-rcpt {to} -T {message}'
  const word = await send(t, template, {}, peer.port)
  t.equal(word.state, 'delivered', word.reason)
  t.same(
    peer.messages.map(({ secure, to }) => ({ secure, to })),
    [{ secure: true, to: 2 }],
  )
})

t.test('the exit status is its word', async (t) => {
  const cases: [string, Partial<ClientWord>][] = [
    ['exit 0', { state: 'delivered', exitCode: 0 }],
    ['echo no >&2; exit 1', { state: 'failed', exitCode: 1, reason: 'exit status 1: no' }],
    ['exit 75', { state: 'failed', kind: 'temporary' }],
    ['echo no {policy}; exit 127', { state: 'unsupported', reason: 'exit status 127: no verify' }],
    ['kill -ABRT $$', { state: 'crashed', signal: 'SIGABRT' }],
  ]
  for (const [script, want] of cases) t.match(await send(t, `sh -c '${script}' ${TO}`), want, script)
  t.notMatch(await send(t, `sh -c 'exit 1' ${TO}`), { kind: /./ })
  t.match(await send(t, `sh -c 'sleep 600' ${TO}`, { deadlineMs: 300 }), { state: 'hung' })
})

t.test('the message is in {message}, or on standard input', async (t) => {
  const text = MESSAGE.replaceAll('\r', '').trimEnd().split('\n')
  t.same((await send(t, `sh -c 'cat' ${TO}`)).log, text)
  t.same((await send(t, `sh -c 'cat {message} -' ${TO}`)).log, text, 'once: nothing is on standard input then')
})

t.test('it runs in an empty home', async (t) => {
  const word = await send(t, `sh -c 'test "$HOME" = "$PWD" && ls -A' ${TO}`)
  t.same([word.state, word.log], ['delivered', ['message.eml']])
})

t.test('what the command line has no place for is unsupported', async (t) => {
  const credentials = { user: 'u', password: 'p' }
  const clientCertificate = { chainFile: '/c', keyFile: '/k' }
  t.match(await send(t, `true ${TO}`, { credentials }), { state: 'unsupported', reason: /\{password\}/ })
  t.match(await send(t, `true ${TO} {user} {password}`, { credentials }), { state: 'delivered' })
  t.match(await send(t, `true ${TO}`, { clientCertificate }), { state: 'unsupported', reason: /\{certificate\}/ })
  t.match(await send(t, `true ${TO}`, { ciphers: 'X' }), { state: 'unsupported', reason: /\{ciphers\}/ })
  t.match(await send(t, `true ${TO}`, { policy: 'dane' }), { state: 'unsupported', reason: /dane/ })
})

t.test('what it says of itself', async (t) => {
  const bare = commandClient({ template: `/bin/my-prog ${TO}` })
  t.match(bare, { id: 'my-prog', name: 'my-prog', kind: 'one-shot', passwords: false, namesPeers: false })
  t.match(await bare.probe(), { found: false, install: /my-prog/ })
  await t.rejects(bare.start(), { code: 'client-missing' })
  const full = commandClient({ id: 'mine', template: 'sh {name} {port} {user} {password}' })
  t.match(full, { id: 'mine', passwords: true, namesPeers: true })
  t.match(await full.probe(), { found: true, version: /\/sh$/ })
  t.match(policySupport(full, 'verify'), { options: 'sh {name} {port} {user} {password}' })
  t.match(policySupport(full, 'dane'), { unsupported: /dane/ })
  t.match(policySupport(full, 'sorcery'), { unsupported: /sorcery/ })
})

t.test('a command line that cannot work is refused', async (t) => {
  t.throws(() => commandClient({ template: '' }), { code: 'command-line', message: /empty/ })
  t.throws(() => commandClient({ template: 'prog' }), { message: /\{port\}/ })
  t.throws(() => commandClient({ template: 'prog {port}' }), { message: /\{host\}/ })
  t.throws(() => commandClient({ template: 'prog {host}:{port} | cat' }), { message: /shell/ })
})
