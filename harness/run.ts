/**
 * A run from request to reports: clients are found and started, the plan is run, the log is judged, the reports are
 * written. Whatever happens on the way, what was started is stopped and what was seen is kept.
 */
import { setMaxListeners } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuthority } from '../peers/certificates/authority.ts'
import { logOf, logsByCell } from '../reports/by-cell.ts'
import { renderCapture } from '../reports/capture/capture.ts'
import { capturePath } from '../reports/capture/path.ts'
import { loadFormats } from '../reports/format.ts'
import type { GateOptions } from '../reports/gate.ts'
import type { ClientAdapter, ClientStage, Probe, RunningClient } from '../scenarios/client.ts'
import { foreseen } from '../scenarios/client-settings.ts'
import { deadlineFor } from '../scenarios/deadline.ts'
import { EVENTS_SCHEMA, type LogEvent, type RunBegun } from '../scenarios/events.ts'
import { judge } from '../scenarios/judge/judge.ts'
import { type KnownDeviation, markKnown } from '../scenarios/known.ts'
import { type Plan, type PlannedCell, type PlanRequest, plan } from '../scenarios/plan.ts'
import type { Policy } from '../scenarios/policy.ts'
import type { RunRecord } from '../scenarios/record.ts'
import { runPlan } from '../scenarios/run.ts'
import { compact, type Scenario } from '../scenarios/scenario.ts'
import { client as reference } from './clients/reference.ts'
import { insideLab } from './lab/enter.ts'
import { LabInternet } from './lab/internet.ts'
import { type AddressPlan, LAB_PLAN, LOOPBACK_PLAN } from './lab/network.ts'
import { type ResolverName, resolverLayer } from './lab/resolver.ts'
import { LocalInternet } from './local-internet.ts'
import { RunFolder } from './run-folder.ts'
import { UserError } from './user-error.ts'
import { VERSION } from './version.ts'
import { WireTap } from './wire-tap.ts'

export interface RunOptions {
  readonly scenarios: readonly Scenario[]
  readonly clients: readonly ClientAdapter[]
  readonly policies: readonly Policy[]
  readonly only: readonly string[]
  /** See {@link PlanRequest.chosen}. */
  readonly chosen?: PlanRequest['chosen']
  readonly seed: number
  /** 1 or more. */
  readonly timeScale: number
  readonly jobs: number
  readonly repeat: number
  readonly lastFailed?: readonly string[]
  readonly shard?: { readonly index: number; readonly count: number }
  readonly known: readonly KnownDeviation[]
  readonly gate: GateOptions
  /** See {@link ClientStage}. */
  readonly lab?: Pick<ClientStage, 'overlay' | 'settings'>
  /** Whom clients in the lab ask; default badmx's own. */
  readonly resolver?: ResolverName
  /** Record TLS records too, and write a capture of each cell. */
  readonly capture: boolean
  /** Folder for the run's files; default a new one under `badmx-out`. */
  readonly out?: string
  readonly signal: AbortSignal
  /** Told before the first cell, and after each. */
  readonly progress: (done: number, total: number, cell?: PlannedCell) => void
  /** Told of a cell that is run again, alone. */
  readonly again?: () => void
}

export interface RunResult {
  readonly record: RunRecord
  readonly folder: string
  readonly formats: readonly { readonly path: string; readonly title: string }[]
}

/** @throws {UserError} when nothing can be run; never because of what a client does. */
export async function run(options: RunOptions): Promise<RunResult> {
  const planned = makePlan(options)
  const versions = await probeAll([reference, ...options.clients])
  const startedAt = new Date()
  const folder = await RunFolder.create(options.out, startedAt)
  const began = performance.now()
  const now = (): number => performance.now() - began
  const events: LogEvent[] = []
  const wire = options.clients.some(({ resolves }) => resolves === true) ? new WireTap() : undefined
  const log = (event: LogEvent): void => {
    events.push(event)
    wire?.hear(event)
    folder.event(event)
  }
  const stop = new AbortController()
  // Every cell listens to it: that is no leak, and no warning of Node's is wanted on stderr.
  setMaxListeners(0, stop.signal)
  const abort = (): void => stop.abort()
  options.signal.addEventListener('abort', abort, { once: true })
  if (options.signal.aborted) abort()
  folder.onFailure = abort
  log(runEvent(options, planned, versions, startedAt))
  try {
    await perform(options, planned, {
      log,
      now,
      clock: startedAt,
      signal: stop.signal,
      ...(wire === undefined ? {} : { wire }),
      write: (file, text) => folder.write(file, text),
    })
  } finally {
    options.signal.removeEventListener('abort', abort)
    log({ type: 'end', t: now(), finishedAt: new Date().toISOString(), interrupted: options.signal.aborted })
  }
  await folder.closeEvents()
  const record = markKnown(judge(events), options.known)
  return { record, folder: folder.path, formats: await writeReports(record, events, folder, options.gate) }
}

function makePlan(options: RunOptions): Plan {
  const { scenarios, clients, policies, only, seed, timeScale, repeat, lastFailed, shard } = options
  return plan({
    scenarios,
    clients,
    reference,
    policies,
    only,
    seed,
    timeScale,
    repeat,
    ...(options.chosen === undefined ? {} : { chosen: options.chosen }),
    ...(lastFailed === undefined ? {} : { lastFailed }),
    ...(shard === undefined ? {} : { shard }),
  })
}

type Found = Extract<Probe, { found: true }>

async function probeAll(clients: readonly ClientAdapter[]): Promise<ReadonlyMap<string, Found>> {
  const versions = new Map<string, Found>()
  const missing: string[] = []
  for (const client of clients) {
    const probe = await client.probe()
    if (probe.found) versions.set(client.id, probe)
    else missing.push(`${client.name} is not on this machine; ${probe.install}`)
  }
  if (missing.length > 0) throw new UserError(missing.join('\n'), undefined, 2)
  return versions
}

function runEvent(options: RunOptions, planned: Plan, versions: ReadonlyMap<string, Found>, startedAt: Date): LogEvent {
  const clients = [...new Map([reference, ...options.clients].map((client) => [client.id, client])).values()]
  return {
    type: 'run',
    t: 0,
    schema: EVENTS_SCHEMA,
    badmx: VERSION,
    seed: options.seed,
    startedAt: startedAt.toISOString(),
    timeScale: options.timeScale,
    shard: options.shard === undefined ? '1/1' : `${options.shard.index}/${options.shard.count}`,
    node: process.versions.node,
    openssl: process.versions.openssl,
    ...resolverOf(options),
    ...(options.capture ? { capture: true } : {}),
    clients: clients.map(({ id, name, kind }) => {
      const { version = 'unknown', release } = versions.get(id) ?? {}
      return { id, name, kind, version, ...(release === undefined ? {} : { release }) }
    }),
    plan: planned.digest,
    cells: planned.cells.map((cell) => cell.id),
    ...(options.shard === undefined ? {} : { whole: planned.whole }),
  }
}

function resolverOf({ resolver = 'embedded' }: RunOptions): Pick<RunBegun, 'resolver'> {
  return resolver === 'embedded' ? {} : { resolver: { profile: resolver, version: resolverLayer().version } }
}

interface Stage {
  readonly log: (event: LogEvent) => void
  readonly now: () => number
  readonly clock: Date
  readonly signal: AbortSignal
  readonly wire?: WireTap
  readonly write: (file: string, text: string) => Promise<void>
}

/** Starts what the plan needs, runs it, and stops everything again. */
async function perform(options: RunOptions, planned: Plan, stage: Stage): Promise<void> {
  const needed = new Set(planned.cells.filter((cell) => cell.unsupported === undefined).map((cell) => cell.client))
  const running = new Map<string, RunningClient>()
  const folder = await mkdtemp(join(tmpdir(), 'badmx-'))
  let internet: LabInternet | LocalInternet | undefined
  try {
    const issuer = createAuthority({ now: stage.clock, seed: options.seed })
    await stage.write('ca.pem', issuer.rootPem)
    const caFile = join(folder, 'ca.pem')
    await writeFile(caFile, issuer.rootPem)
    const { seed, timeScale } = options
    const addresses = addressesFor(options.clients)
    internet =
      addresses === undefined
        ? await LocalInternet.open({ ...stage, timeScale, seed })
        : await LabInternet.open({
            ...stage,
            ...{ addresses, timeScale, issuer, seed },
            ...compact({ resolver: options.resolver }),
          })
    const { wire } = stage
    if (wire !== undefined && internet instanceof LabInternet) wire.home = internet
    const starting = [...options.clients, reference].filter(
      ({ id }, at, all) => needed.has(id) && all.findIndex((other) => other.id === id) === at,
    )
    for (const client of starting) {
      const own = join(folder, 'clients', client.id)
      await mkdir(own, { recursive: true })
      const begun = await client.start({
        foreseen: await foreseen(client.id, { plan: planned, issuer, folder }),
        caFile,
        timeScale: options.timeScale,
        deadlineMs: deadlineFor(options.timeScale, client.kind),
        folder: own,
        ...(wire === undefined ? {} : { wire }),
        ...(client.inLab === true ? options.lab : {}),
      })
      running.set(client.id, begun)
      const { configuration, version } = begun
      if (configuration !== undefined)
        stage.log({
          type: 'configured',
          t: stage.now(),
          client: client.id,
          configuration,
          ...(version === undefined ? {} : { version }),
        })
    }
    let done = 0
    options.progress(0, planned.cells.length)
    await runPlan({
      ...stage,
      plan: planned,
      clients: running,
      issuer,
      internet,
      ...(options.resolver === undefined || options.resolver === 'embedded' ? {} : { resolver: options.resolver }),
      caFile,
      folder,
      jobs: options.jobs,
      capture: options.capture,
      again: () => options.again?.(),
      progress: (cell) => {
        done += 1
        options.progress(done, planned.cells.length, cell)
      },
    })
  } finally {
    await Promise.all([...running.values()].map((client) => client.stop()))
    await internet?.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Where hosts are found by clients that look for them; undefined where all are told. */
function addressesFor(clients: readonly ClientAdapter[]): AddressPlan | undefined {
  if (insideLab()) return LAB_PLAN
  return clients.some(({ resolves }) => resolves === true) ? LOOPBACK_PLAN : undefined
}

/** Writes every format into the folder, and makes it the latest run. */
export async function writeReports(
  record: RunRecord,
  events: readonly LogEvent[],
  folder: RunFolder,
  gate: GateOptions,
): Promise<{ path: string; title: string }[]> {
  const written = [{ path: join(folder.path, 'events.ndjson'), title: 'everything that was seen' }]
  for (const format of (await loadFormats()).values()) {
    await folder.write(format.file, format.render(record, gate, events))
    written.push({ path: join(folder.path, format.file), title: format.title })
  }
  if (events.some((event) => event.type === 'run' && event.capture === true)) {
    const logs = logsByCell(events)
    for (const cell of record.cells) {
      const { run, events: own } = logOf(logs, cell)
      const capture = run === undefined ? undefined : renderCapture(own, run)
      if (capture !== undefined) await folder.write(capturePath(cell), capture)
    }
    written.push({ path: join(folder.path, 'cells'), title: 'Captures with the TLS secrets inside, for Wireshark' })
  }
  await folder.publish()
  return written
}
