/**
 * One run of the whole catalogue against Postfix, in a process and a lab of its own: it builds the layer where it is missing,
 * enters a lab with it, and prints an {@link MtaReport} as JSON. Exit code 3, with the reason, where there is no lab or the
 * archive cannot be reached.
 *
 * The client's CPU is that of all processes of the lab but this one: of each that is alive when the last cell is over, and of
 * all that it has reaped, so that the short-lived ones are in it (Postfix's `master` reaps its deliveries), and of those that
 * this process has had run in the client's root (`postqueue`), with the small process that starts them. Not in it: who became
 * an orphan and was reaped by the root's first process; and what the kernel does for sockets in softirqs, which is nobody's, or
 * that of whom it interrupts.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClientAdapter } from '../../scenarios/client.ts'
import type { CellRecord } from '../../scenarios/record.ts'
import { allScenarios } from '../catalogue.ts'
import { JOBS, POLICIES, TIME_SCALE } from '../cli/run-command.ts'
import { client as postfix } from '../clients/postfix.ts'
import { enterLab, insideLab, ownCommand } from '../lab/enter.ts'
import { ensureLayer } from '../lab/layer.ts'
import { requireSupport } from '../lab/support.ts'
import { run } from '../run.ts'
import { UserError } from '../user-error.ts'
import { cpuOfOthers } from './process-cpu.ts'

export interface MtaReport {
  readonly version: string
  /** All that were run, controls included. */
  readonly cells: number
  /** From the begin of the run to the end of its last cell, in milliseconds. */
  readonly wallMs: number
  /** From the begin of the run to when the clients were ready. */
  readonly startMs: number
  /** The slowest cell, run again beside no more than the next slowest. */
  readonly slowestMs: number
  /** Milliseconds of CPU of this process from the begin of the run to the end of its last cell. */
  readonly harnessCpuMs: number
  readonly clientCpuMs: number
}

/** How many of the slowest cells are run again: which one is the slowest alone is not known from their race. */
const SLOWEST = 8

interface Timed {
  readonly version: string
  readonly cells: readonly CellRecord[]
  readonly wallMs: number
  readonly startMs: number
  readonly harnessCpuMs: number
  readonly clientCpuMs: number
}

/** Runs the cells of the catalogue that `wanted` has, and the controls. */
async function timed(folder: string, wanted?: ReadonlySet<string>): Promise<Timed> {
  const scenarios = await allScenarios([])
  const before = { at: performance.now(), harness: process.cpuUsage(), others: await cpuOfOthers() }
  const elapsed = (): number => performance.now() - before.at
  let startMs = 0
  let wallMs = 0
  let harnessCpuMs = 0
  let clientCpuMs = 0
  /** Postfix, with a look at the clocks before it is stopped. */
  const observed: ClientAdapter = {
    ...postfix,
    start: async (stage) => {
      const running = await postfix.start(stage)
      const stop = async (): Promise<void> => {
        clientCpuMs = ((await cpuOfOthers()) - before.others) / 1000
        await running.stop()
      }
      return Object.create(running, { stop: { value: stop } }) as typeof running
    },
  }
  const { record } = await run({
    scenarios,
    clients: [observed],
    policies: POLICIES,
    ...(wanted === undefined ? {} : { chosen: ({ name }, _client, policy) => wanted.has(`${name}/${policy}`) }),
    ...{ only: [], seed: 1, timeScale: TIME_SCALE, jobs: JOBS, repeat: 1, known: [], gate: { strict: false } },
    ...{ capture: true, out: folder, signal: new AbortController().signal },
    progress: (done, total) => {
      if (done === 0) startMs = elapsed()
      if (done !== total) return
      wallMs = elapsed()
      const { user, system } = process.cpuUsage(before.harness)
      harnessCpuMs = (user + system) / 1000
    },
  })
  const version = record.clients.find(({ id }) => id === postfix.id)?.version ?? ''
  return { version, cells: record.cells, wallMs, startMs, harnessCpuMs, clientCpuMs }
}

async function measured(): Promise<MtaReport> {
  const folder = await mkdtemp(join(tmpdir(), 'badmx-bench-'))
  try {
    // `badmx-out/latest` is none of ours.
    process.chdir(folder)
    const { cells, ...whole } = await timed(join(folder, 'whole'))
    const own = cells.filter(({ client }) => client === postfix.id)
    const slowest = own.sort((a, b) => b.durationMs - a.durationMs).slice(0, SLOWEST)
    const names = new Set(slowest.map(({ scenario, policy }) => `${scenario}/${policy}`))
    const alone = await timed(join(folder, 'slowest'), names)
    const slowestMs = Math.max(...alone.cells.map(({ durationMs }) => durationMs))
    return { ...whole, cells: cells.length, slowestMs }
  } finally {
    process.chdir('/')
    await rm(folder, { recursive: true, force: true })
  }
}

try {
  if (insideLab()) process.stdout.write(JSON.stringify(await measured()))
  else {
    const support = requireSupport()
    const layers = [await ensureLayer(postfix.layer, { support, signal: new AbortController().signal })]
    process.exitCode = await enterLab(ownCommand(), { support, layers })
  }
} catch (error) {
  if (!(error instanceof UserError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 3
}
