import t from 'tap'
import type { ClientWord } from '../../scenarios/client.ts'
import { POLICIES, type Policy } from '../../scenarios/policy.ts'
import { clientEnvironment } from './environment.ts'
import { makeDelivery } from './testing/peer.ts'
import { workerClient } from './worker-client.ts'

/** A library that does what the sender's address says. */
const SCRIPT = `
  const say = (message) => process.stdout.write(JSON.stringify(message) + '\\n')
  const answers = {
    good: { delivered: true, text: 'ok', encrypted: true },
    refused: { delivered: false, text: 'Error: 550 no\\nmore', code: 550 },
    later: { delivered: false, text: 'Error: 421 later', code: 421 },
    broken: { delivered: false, text: 'TypeError: x' },
  }
  process.stdin.on('end', () => process.exit(0))
  say({ ready: true })
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, what } = JSON.parse(line)
    if (what === 'crash') throw new RangeError('out of range')
    if (what === 'killed') process.kill(process.pid, 'SIGBUS')
    console.error('log of ' + what)
    if (what in answers) say({ id, answer: answers[what] })
  })
`

const client = workerClient({
  id: 'tested',
  name: 'Tested',
  policies: Object.fromEntries(
    POLICIES.map((policy) => [policy, policy === 'dane' ? { unsupported: 'no DANE' } : { options: policy }]),
  ) as Record<Policy, { options: string } | { unsupported: string }>,
  documented: { policy: 'none', source: 'this test' },
  passwords: false,
  namesPeers: true,
  probe: async () => ({ found: true, version: '1' }),
  worker: async () => ({ argv: [process.execPath, '-e', SCRIPT], env: clientEnvironment(), cwd: process.cwd() }),
  job: (delivery) => ({ what: delivery.from }),
})

t.test('what a library does becomes its word', async (t) => {
  const running = await client.start()
  t.teardown(() => running.stop())
  const cases: [string, Partial<ClientWord>][] = [
    ['good', { state: 'delivered', reason: 'ok', claims: { encrypted: true }, log: ['log of good'] }],
    ['refused', { state: 'failed', kind: 'permanent', reason: 'Error: 550 no' }],
    ['later', { state: 'failed', kind: 'temporary' }],
    ['broken', { state: 'failed', reason: 'TypeError: x' }],
    ['crash', { state: 'crashed', exitCode: 1, reason: 'ended with status 1: RangeError: out of range' }],
    ['killed', { state: 'crashed', signal: 'SIGBUS', reason: 'killed by SIGBUS' }],
    ['silence', { state: 'hung', log: ['log of silence'] }],
  ]
  for (const [from, want] of cases) {
    const deadlineMs = from === 'silence' ? 300 : 20_000
    const delivery = await makeDelivery(t, 25, { from, deadlineMs })
    const word = await running.deliver(delivery, new AbortController().signal)
    t.match(word, want, from)
    if (from === 'broken') t.notOk('kind' in word || 'claims' in word, 'what it does not say is not there')
  }
  const dane = await makeDelivery(t, 25, { from: 'good', policy: 'dane' })
  t.match(await running.deliver(dane, new AbortController().signal), { state: 'unsupported', reason: 'no DANE' })
})
