/** The runner with a client that only speaks: what it does with its time. */
import { X509Certificate } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test as Tap } from 'tap'
import { createAuthority } from '../peers/certificates/authority.ts'
import { openOrigin } from '../peers/origin.ts'
import type { Delivery, RunningClient } from './client.ts'
import type { CellEnded, LogEvent } from './events.ts'
import { type PlanClient, plan } from './plan.ts'
import { POLICIES } from './policy.ts'
import { runPlan } from './run.ts'
import type { Scenario } from './scenario.ts'
import { SAMPLE_CONTROLS, SAMPLE_HOST, sampleScenario } from './test/sample-scenario.ts'

const CLIENT: PlanClient = {
  ...{ id: 'one', kind: 'one-shot', namesPeers: true, passwords: true },
  policies: Object.fromEntries(POLICIES.map((policy) => [policy, { options: '' }])) as PlanClient['policies'],
  documented: { policy: 'may', source: 'its manual' },
}

/** Whether the sound server of peers is loaded: then it is set up at the first octet, and asks who the client is. */
function isLoaded(): boolean {
  let asked = false
  const handlers = {
    get remote() {
      asked = true
      return { localAddress: '127.0.0.1', localPort: 25, remoteAddress: '127.0.0.1', remotePort: 4711 }
    },
    ...{ data: () => {}, end: () => {} },
  }
  const session = openOrigin({ hostName: 'mx.badmx.test', authInClear: false }, handlers)
  session.write(Buffer.from('NOOP\r\n'))
  session.destroy()
  return asked
}

/** At the first delivery of this process. */
let loadedAtFirst: boolean | undefined

/** `expires-soon` lives ten seconds from its issuing. */
const LIFE_MS = 10_000
const LEFT_MS = 1_500

interface Told {
  readonly ends: readonly CellEnded[]
  /** Deliveries of the waiting scenario, in milliseconds of the run. */
  readonly deliveries: readonly { readonly delivery: Delivery; readonly atMs: number }[]
  /** When the certificate that expires soon does, in milliseconds of the run. */
  readonly expiresMs: number
}

/** Comes after the scenario in the plan. */
const OTHER = sampleScenario('resume-y', {})

/** Runs the controls, the scenario and {@link OTHER} with one cell at once; its certificate has {@link LEFT_MS} to live. */
async function run(t: Tap, scenario: Scenario, onDelivery: (abort: () => void) => void = () => {}): Promise<Told> {
  const clock = new Date()
  const began = performance.now()
  const now = (): number => performance.now() - began
  const authority = createAuthority({ now: clock, seed: 1 })
  const folder = await mkdtemp(join(tmpdir(), 'badmx-run-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const events: LogEvent[] = []
  const deliveries: { delivery: Delivery; atMs: number }[] = []
  let end = ''
  const controller = new AbortController()
  const client: RunningClient = {
    deliver: async (delivery) => {
      loadedAtFirst ??= isLoaded()
      if (delivery.cell.startsWith(scenario.name)) {
        deliveries.push({ delivery, atMs: now() })
        onDelivery(() => controller.abort())
      }
      return { state: 'failed', log: [], reason: 'it only speaks' }
    },
    stop: async () => {},
  }
  await runPlan({
    plan: plan({
      ...{
        scenarios: [...SAMPLE_CONTROLS, scenario, OTHER],
        clients: [CLIENT],
        reference: { ...CLIENT, id: 'reference' },
      },
      ...{ policies: ['encrypt'], only: [scenario.id, OTHER.id], seed: 1, timeScale: 1, repeat: 1 },
    }),
    clients: new Map([CLIENT.id, 'reference'].map((id) => [id, client])),
    issuer: {
      ...authority,
      issue: async (fault, names, at = clock) => {
        const issued = await authority.issue(fault, names, new Date(at.getTime() - LIFE_MS + LEFT_MS))
        if (fault === 'expires-soon') end = new X509Certificate(issued.certPem).validTo
        return issued
      },
    },
    log: (event) => events.push(event),
    ...{ now, clock, caFile: 'none', folder, jobs: 1, signal: controller.signal },
  })
  const ends = events.filter((event): event is CellEnded => event.type === 'cell-end')
  return { ends, deliveries, expiresMs: Date.parse(end) - clock.getTime() }
}

const STEPS: Scenario['job']['steps'] = [{ submit: 1, policy: 'may' }, { until: 'expired' }, { submit: 1 }]
const waiting = (certificate: string): Scenario =>
  sampleScenario('resume-x', {
    hosts: { mx: { ...SAMPLE_HOST, certificate } },
    job: { steps: STEPS, password: false },
  })

t.test('a cell that waits for its certificate to expire leaves its place to others', async (t) => {
  const { ends, deliveries, expiresMs } = await run(t, waiting('expires-soon'))
  t.ok(ends.length > 4 && ends.every(({ status }) => status === 'done'))
  t.same(
    ends.slice(-2).map(({ cell }) => cell),
    ['resume/resume-y/encrypt/one', 'resume/resume-x/encrypt/one'],
    'it was begun before the other, and ends last',
  )
  t.same(
    deliveries.map(({ delivery }) => delivery.policy),
    ['may', 'encrypt'],
  )
  t.ok((deliveries[1]?.atMs ?? 0) >= expiresMs, 'after the wait')
})

t.test('no client that is judged waits for a peer that is still being loaded', async (t) => {
  t.equal(loadedAtFirst, true)
})

t.test('an interruption ends the wait', async (t) => {
  const { ends, deliveries } = await run(t, waiting('expires-soon'), (abort) => abort())
  t.equal(deliveries.length, 1)
  t.match(ends.at(-1), { cell: 'resume/resume-x/encrypt/one', status: 'interrupted' })
  t.notOk(
    ends.some(({ cell }) => cell.startsWith(OTHER.name)),
    'nothing more is begun',
  )
})

t.test('a certificate that does not expire soon is the mistake of the scenario', async (t) => {
  const { ends } = await run(t, waiting('good'))
  const own = ends.find(({ cell }) => cell.startsWith('resume/resume-x/'))
  t.match(own, { status: 'error', reason: /the certificate expires in \d+ s, not soon/ })
})
