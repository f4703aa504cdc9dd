/**
 * The scenarios tested by mutation (design, truth rule 6): each names a flaw of the reference client, and fails with it
 * where it passes without. A scenario that no flaw can fail is not a scenario.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { createAuthority } from '../../peers/certificates/authority.ts'
import type { ClientAdapter, RunningClient } from '../../scenarios/client.ts'
import { EVENTS_SCHEMA, type LogEvent } from '../../scenarios/events.ts'
import { judge } from '../../scenarios/judge/judge.ts'
import { type Plan, plan } from '../../scenarios/plan.ts'
import type { Policy } from '../../scenarios/policy.ts'
import type { CellRecord } from '../../scenarios/record.ts'
import { runPlan } from '../../scenarios/run.ts'
import type { Scenario } from '../../scenarios/scenario.ts'
import { allScenarios } from '../catalogue.ts'
import { client as reference, referenceWith } from '../clients/reference.ts'
import { client as referenceMta, referenceMtaWith } from '../clients/reference-mta.ts'
import { LocalInternet } from '../local-internet.ts'

const SEED = 7
const TIME_SCALE = 100

/** The verdicts that tell a user that something is wrong with the client. */
const FAILING: readonly string[] = ['leak', 'fail', 'over-strict', 'flagged']

function flawsOf(scenario: Scenario): readonly string[] {
  return [scenario.flaw.name, ...scenario.flaw.with]
}

/** A scenario with several hosts, or about the queue, is for the reference client that has one. */
function wantsMta(scenario: Scenario): boolean {
  return scenario.needsQueue || Object.keys(scenario.hosts).length > 1 || scenario.hosts['mx']?.preference === 'none'
}

function correctFor(scenario: Scenario): string {
  return wantsMta(scenario) ? 'correct-mta' : 'correct'
}

function mutantFor(scenario: Scenario): string {
  return `${wantsMta(scenario) ? 'mta+' : ''}${flawsOf(scenario).join('+')}`
}

/** One adapter for each set of flaws, with an id of its own. */
function mutants(scenarios: readonly Scenario[]): Map<string, ClientAdapter> {
  const clients = new Map<string, ClientAdapter>()
  for (const scenario of scenarios) {
    const id = mutantFor(scenario)
    const make = wantsMta(scenario) ? referenceMtaWith : referenceWith
    if (!clients.has(id)) clients.set(id, { ...make(flawsOf(scenario)), id })
  }
  return clients
}

async function perform(planned: Plan, clients: readonly ClientAdapter[]): Promise<readonly CellRecord[]> {
  const events: LogEvent[] = []
  const clock = new Date()
  const began = performance.now()
  const now = (): number => performance.now() - began
  const cells = planned.cells.map((cell) => cell.id)
  const versions = { badmx: '0', node: process.versions.node, openssl: process.versions.openssl }
  events.push({
    type: 'run',
    t: 0,
    schema: EVENTS_SCHEMA,
    ...versions,
    seed: SEED,
    startedAt: clock.toISOString(),
    timeScale: TIME_SCALE,
    shard: '1/1',
    clients: [],
    plan: planned.digest,
    cells,
  })
  const running = new Map<string, RunningClient>()
  for (const client of clients) running.set(client.id, await client.start())
  const internet = await LocalInternet.open({
    ...{ seed: SEED, clock, now, timeScale: TIME_SCALE },
    log: (event) => events.push(event),
  })
  const folder = await mkdtemp(join(tmpdir(), 'badmx-mutation-'))
  try {
    const issuer = createAuthority({ now: clock, seed: SEED })
    const caFile = join(folder, 'ca.pem')
    await writeFile(caFile, issuer.rootPem)
    await runPlan({
      plan: planned,
      clients: running,
      issuer,
      internet,
      log: (event) => events.push(event),
      now,
      clock,
      caFile,
      folder,
      jobs: 24,
      signal: new AbortController().signal,
    })
  } finally {
    await Promise.all([...running.values()].map((client) => client.stop()))
    await internet.close()
    await rm(folder, { recursive: true, force: true })
  }
  events.push({ type: 'end', t: now(), finishedAt: new Date().toISOString(), interrupted: false })
  return judge(events).cells
}

t.test('every scenario fails with its flaw and passes without', { timeout: 240_000 }, async (t) => {
  const scenarios = await allScenarios()
  const flawed = mutants(scenarios)
  const correct = [
    { ...reference, id: 'correct' },
    { ...referenceMta, id: 'correct-mta' },
  ]
  const policyOf = (scenario: Scenario): Policy => scenario.flaw.policy
  const whole = plan({
    scenarios,
    clients: [...correct, ...flawed.values()],
    reference,
    policies: ['none', 'may', 'encrypt', 'verify', 'dane', 'dane-only', 'implicit'],
    only: [],
    chosen: (scenario, client, policy) =>
      policy === policyOf(scenario) && (client === correctFor(scenario) || client === mutantFor(scenario)),
    seed: SEED,
    timeScale: TIME_SCALE,
    repeat: 1,
  })
  // A mutant's controls may fail, that is what it is for: of them only those are run that are under test themselves.
  const cells = whole.cells.filter(
    (cell) =>
      cell.role !== 'client-control' ||
      cell.client === 'correct' ||
      cell.client === 'correct-mta' ||
      (cell.policy === policyOf(cell.scenario) && cell.client === mutantFor(cell.scenario)),
  )
  const judged = await perform({ ...whole, cells }, [reference, ...correct, ...flawed.values()])
  for (const scenario of scenarios) {
    const of = (client: string): CellRecord | undefined =>
      judged.find((cell) => cell.id === `${scenario.name}/${policyOf(scenario)}/${client}`)
    const sound = of(correctFor(scenario))
    const mutant = of(mutantFor(scenario))
    t.ok(
      sound !== undefined && (sound.verdict === 'pass' || sound.verdict === 'info'),
      `${scenario.name} under ${policyOf(scenario)}: the correct client passes (${sound?.verdict}: ${sound?.reason})`,
    )
    t.ok(
      mutant !== undefined && FAILING.includes(mutant.verdict),
      `${scenario.name} under ${policyOf(scenario)}: ${flawsOf(scenario).join('+')} fails (${mutant?.verdict}: ${mutant?.reason})`,
    )
  }
})
