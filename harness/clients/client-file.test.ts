import { join } from 'node:path'
import t, { type Test } from 'tap'
import { POLICIES } from '../../scenarios/policy.ts'
import { ClientFileError, loadClientFile } from './client-file.ts'
import { MESSAGE, makeDelivery } from './testing/peer.ts'

const GOOD = `id: mymailer
name: My Mailer
probe: sh -c 'echo mymailer 2.1'
command: sh -c 'echo "$@"; cat; echo $GREETING; exit 3' sh {name}:{port} {arguments} -- {to}
policies:
  none: --no-tls
  verify: --tls --ca '{ca}'
  implicit: { unsupported: it cannot }
  default: ''
documented: { policy: may, source: its README }
exit: { unsupported: [64], temporary: [3] }
environment: { GREETING: 'hello {policy} {to}' }
`

function load(t: Test, text: string) {
  return loadClientFile(join(t.testdir({ 'mine.yaml': text }), 'mine.yaml'))
}

t.test('a good file is a client', async (t) => {
  const client = load(t, GOOD)
  t.match(client, {
    id: 'mymailer',
    name: 'My Mailer',
    documented: { policy: 'may' },
    passwords: false,
    namesPeers: true,
  })
  t.same(await client.probe(), { found: true, version: 'mymailer 2.1' })
  t.same(
    POLICIES.filter((policy) => 'options' in client.policies[policy]),
    ['none', 'verify', 'default'],
  )
  t.match(client.policies.implicit, { unsupported: 'it cannot' })
  t.match(client.policies.may, { unsupported: /no arguments for may/ })
  const running = await client.start()
  t.teardown(() => running.stop())
  const delivery = await makeDelivery(t, 2525, { policy: 'verify' })
  const word = await running.deliver(delivery, new AbortController().signal)
  t.match(word, { state: 'failed', kind: 'temporary', exitCode: 3 })
  t.same(word.log, [
    `mx.cell.badmx.test:2525 --tls --ca ${delivery.caFile} -- one@badmx.test two@badmx.test`,
    ...MESSAGE.trimEnd().split('\r\n'),
    'hello verify one@badmx.test',
  ])
})

t.test('without a place for them the arguments come last, and standard input can be empty', async (t) => {
  const text = GOOD.replace(' {arguments}', '').concat('stdin: none\n')
  const running = await load(t, text).start()
  t.teardown(() => running.stop())
  const delivery = await makeDelivery(t, 2525, { policy: 'none', to: ['one@badmx.test'] })
  const word = await running.deliver(delivery, new AbortController().signal)
  t.same(word.log, ['mx.cell.badmx.test:2525 -- one@badmx.test --no-tls', 'hello none one@badmx.test'])
})

t.test('a missing program says how to get it', async (t) => {
  const client = load(t, GOOD.replace(/^probe: .*$/m, 'probe: badmx-no-such --version\ninstall: make install'))
  t.same(await client.probe(), { found: false, install: 'make install' })
  await t.rejects(client.start(), { code: 'client-missing', next: 'make install' })
})

t.test('every mistake has its place', async (t) => {
  const cases: [string, string, RegExp][] = [
    ['', ':1:1: ', /empty/],
    [GOOD.replace('id: mymailer', 'id: My_Mailer'), ':1:5: id: ', /small letters/],
    [GOOD.replace('name: My Mailer\n', ''), ':1:1: ', /"name" is missing/],
    [GOOD.replace('probe:', 'prob:'), ':3:1: prob: ', /did you mean "probe"/],
    [GOOD.replace('  none:', '  nome:'), ':6:3: ', /nome/],
    [GOOD.replace('--no-tls', '--no-tls {prot}'), ':6:9: policies.none: ', /did you mean \{port\}/],
    [GOOD.replace('--no-tls', '--no-tls | tee'), ':6:9: policies.none: ', /no shell/],
    [GOOD.replace('{name}:{port}', '{name}'), ':4:10: command: ', /\{port\}/],
    [GOOD.replace(/^documented.*\n/m, ''), ':9:3: policies.default: ', /needs "documented"/],
    [GOOD.replace('[64]', '[0]'), ':11:23: exit.unsupported.0: ', /./],
    [GOOD.replace("default: ''", "default: '"), ':', /./],
  ]
  for (const [text, place, message] of cases) {
    try {
      load(t, text)
      t.fail(`no error: ${message}`)
    } catch (error) {
      if (!(error instanceof ClientFileError)) throw error
      t.ok(error.message.includes(`mine.yaml${place}`), `${error.message} has ${place}`)
      t.match(error.message, message)
    }
  }
})
