/** The order in which cells of a client with a queue begin, with a client that only speaks. */
import { setMaxListeners } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test as Tap } from 'tap'
import { createAuthority } from '../peers/certificates/authority.ts'
import type { ClientWord, RunningClient } from './client.ts'
import type { LogEvent } from './events.ts'
import { type PlanClient, plan } from './plan.ts'
import { POLICIES } from './policy.ts'
import { runPlan } from './run.ts'
import type { Scenario } from './scenario.ts'
import { SAMPLE_CONTROLS, sampleScenario } from './test/sample-scenario.ts'

const CLIENT: PlanClient = {
  ...{ id: 'mta', kind: 'queue', namesPeers: true, passwords: false },
  policies: Object.fromEntries(POLICIES.map((policy) => [policy, { options: '' }])) as PlanClient['policies'],
  documented: { policy: 'may', source: 'its manual' },
}

/** Milliseconds after which a message is old enough for another attempt. */
const AGES_MS = 300

const QUEUED: ClientWord = { state: 'queued', log: [], reason: 'it only speaks' }

/** What the log tells of each cell, in order: `begun`, and the causes of its attempts. */
async function told(t: Tap, scenarios: readonly Scenario[]): Promise<string[]> {
  const clock = new Date()
  const began = performance.now()
  const folder = await mkdtemp(join(tmpdir(), 'badmx-run-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const events: LogEvent[] = []
  const { signal } = new AbortController()
  setMaxListeners(0, signal)
  const client: RunningClient = {
    deliver: async () => QUEUED,
    retry: async () => ({ ...QUEUED, state: 'delivered' }),
    wait: async (_delivery, horizonSeconds) => ({ ...QUEUED, ageSeconds: horizonSeconds }),
    agesInMs: () => AGES_MS,
    stop: async () => {},
  }
  await runPlan({
    plan: plan({
      scenarios: [...SAMPLE_CONTROLS, ...scenarios],
      ...{ clients: [CLIENT], reference: { ...CLIENT, id: 'reference', kind: 'one-shot' } },
      ...{ policies: ['encrypt'], only: [], seed: 1, timeScale: 1, repeat: 1 },
    }),
    clients: new Map([CLIENT.id, 'reference'].map((id) => [id, client])),
    issuer: createAuthority({ now: clock, seed: 1 }),
    log: (event) => events.push(event),
    ...{ now: () => performance.now() - began, clock, caFile: 'none', folder, jobs: 4, signal },
  })
  return events.flatMap((event) => {
    if (event.type === 'cell') return [`${event.cell} begun`]
    return event.type === 'attempt' && event.state === 'begun' ? [`${event.cell} ${event.cause}`] : []
  })
}

t.test('scenarios begin when no control is at work, and not when its message has aged', async (t) => {
  const lines = await told(t, [sampleScenario('strip-x', {})])
  const scenario = lines.indexOf('strip/strip-x/encrypt/mta begun')
  const controls = lines.filter((line) => /control.*mta/.test(line))
  const firsts = controls.filter((line) => line.endsWith(' first')).map((line) => lines.indexOf(line))
  const aged = controls.filter((line) => line.endsWith(' aged')).map((line) => lines.indexOf(line))
  t.ok(firsts.length > 0 && aged.length > 0)
  t.ok(
    firsts.every((at) => at < scenario),
    'all controls have been tried',
  )
  t.ok(
    aged.every((at) => at > scenario),
    'and wait',
  )
})

t.test('what is left to its own schedule waits behind no others', async (t) => {
  const others = Array.from({ length: 40 }, (_, at) => sampleScenario(`strip-x${at}`, {}))
  const sample = sampleScenario('time-y', {})
  const own = { ...sample, job: { ...sample.job, horizonSeconds: 600 } }
  const lines = await told(t, [...others, own])
  const begun = lines.filter((line) => line.endsWith(' begun') && !line.includes('control'))
  t.equal(begun.length, 41)
  t.ok(begun.indexOf('time/time-y/encrypt/mta begun') < 30, 'though it is the last of the plan')
})
