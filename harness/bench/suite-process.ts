/**
 * One run of a suite, in a process of its own: so many cells of the catalogue with the reference client, as many at once as
 * `badmx run` has, and then the slowest of them alone. A suite cannot be shorter than those: they are its critical path.
 */
import { setMaxListeners } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuthority } from '../../peers/certificates/authority.ts'
import { type PlannedCell, plan } from '../../scenarios/plan.ts'
import { RUNNABLE } from '../../scenarios/policy.ts'
import { runPlan } from '../../scenarios/run.ts'
import { allScenarios } from '../catalogue.ts'
import { JOBS } from '../cli/run-command.ts'
import { client as reference } from '../clients/reference.ts'

export interface SuiteReport {
  readonly wallMs: number
  /** Wall time of the slowest cells, run again without the others. */
  readonly criticalMs: number
  /** CPU of the whole process while the suite ran, in milliseconds. */
  readonly cpuMs: number
}

/** How many of the slowest cells are run again: which one is the slowest alone is not known from their race. */
const SLOWEST = 8

const scenarios = await allScenarios([])
const request = { scenarios, clients: [reference], reference, only: [], seed: 1, timeScale: 100, repeat: 1 }
const whole = plan({ ...request, policies: RUNNABLE })

/** Cells at regular distances, so that every family has its share. */
function cellsOf(count: number): PlannedCell[] {
  const all = whole.cells.filter((cell) => cell.unsupported === undefined)
  const step = all.length / count
  return Array.from({ length: count }, (_, index) => all[Math.floor(index * step)]).filter((cell) => cell !== undefined)
}

/** Milliseconds of wall time, and of each cell. */
async function run(cells: readonly PlannedCell[]): Promise<{ wallMs: number; spans: Map<string, number> }> {
  const folder = await mkdtemp(join(tmpdir(), 'badmx-bench-'))
  const clock = new Date()
  const issuer = createAuthority({ now: clock, seed: 1 })
  const caFile = join(folder, 'ca.pem')
  await writeFile(caFile, issuer.rootPem)
  const client = await reference.start()
  const { signal } = new AbortController()
  setMaxListeners(0, signal)
  const spans = new Map<string, number>()
  const began = performance.now()
  const now = (): number => performance.now() - began
  await runPlan({
    plan: { ...whole, cells },
    clients: new Map([[reference.id, client]]),
    ...{ issuer, clock, caFile, folder, now, signal, jobs: JOBS },
    log: (event) => {
      if (event.type === 'cell') spans.set(event.cell, -event.t)
      if (event.type === 'cell-end') spans.set(event.cell, (spans.get(event.cell) ?? 0) + event.t)
    },
  })
  const wallMs = now()
  await client.stop()
  await rm(folder, { recursive: true, force: true })
  return { wallMs, spans }
}

const cells = cellsOf(Number(process.argv[2]))
const before = process.cpuUsage()
const { wallMs, spans } = await run(cells)
const { user, system } = process.cpuUsage(before)
const slowest = [...spans].sort(([, a], [, b]) => b - a).slice(0, SLOWEST)
const alone = await run(cells.filter((cell) => slowest.some(([id]) => id === cell.id)))
process.send?.({ wallMs, criticalMs: alone.wallMs, cpuMs: (user + system) / 1000 } satisfies SuiteReport)
process.disconnect()
