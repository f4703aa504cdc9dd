/**
 * Runs a plan: for each cell the world, the client's deliveries, and everything of it in the event log. This module and
 * what it is made of (`cell-world.ts`, `desk.ts`) are what is not pure in this folder; they judge nothing.
 *
 * What always holds: each try of a cell has one `cell` event and, unless the process dies, one `cell-end`; whatever goes wrong
 * in one cell stays in it; a cell that was spoilt is tried once more and not a third time; when `runPlan` resolves no peer
 * listens and no delivery goes on.
 */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { aloneOf } from './alone.ts'
import { CellWorld, factsOf } from './cell-world.ts'
import { SpoiltError } from './client.ts'
import { deadlineOf } from './deadline.ts'
import { Desk, type Way } from './desk.ts'
import type { CellBegun, CellEnded } from './events.ts'
import { Gate, Turn } from './gate.ts'
import { NoPlaceError } from './internet.ts'
import { longestFirst, Places } from './places.ts'
import type { PlannedCell } from './plan.ts'
import { pulse } from './pulse.ts'
import type { RunRequest } from './run-request.ts'

export type { Issuer, RunRequest } from './run-request.ts'

/** Cells at once that are tried again, each with a client of its own, and how many of these start at once. */
const ALONE = 24
const ALONE_STARTS = 6

/**
 * Runs every cell: the controls first, which all else rests upon, and then {@link longestFirst}. What was spoilt on the way is
 * tried again when all others have been begun.
 */
export async function runPlan(request: RunRequest): Promise<void> {
  const { seed } = request.plan
  const cells = longestFirst(request.plan.cells, seed)
  const places = new Places(request.jobs)
  const stopPulse = pulse(request)
  const alone = { living: new Gate(ALONE, 'held'), starting: new Gate(ALONE_STARTS, 'while-busy') }
  const attempt = async (cell: PlannedCell, turn: Turn): Promise<'over' | 'spoilt'> => {
    const end = request.signal.aborted ? 'over' : await runCell(cell, { request, turn })
    turn.leave()
    return end
  }
  const toItsEnd = async (cell: PlannedCell, turn: Turn, allBegun: Promise<void>): Promise<void> => {
    if ((await attempt(cell, turn)) === 'over') return
    request.again?.(cell)
    await allBegun
    const leave = await alone.living.enter()
    await attempt(aloneOf(cell, seed), await Turn.take(alone.starting))
    leave()
  }
  const ends: Promise<void>[] = []
  /** Resolves when all are over, or wait for a message to age: nothing is at work then. */
  const begin = async (cells: readonly PlannedCell[]): Promise<void> => {
    const allBegun = countdown(cells.length)
    const begun = cells.map(async (cell) => {
      const turn = await Turn.take(places.gateOf(cell))
      allBegun.count()
      const end = toItsEnd(cell, turn, allBegun.over)
      ends.push(end)
      await Promise.race([turn.rest, end])
    })
    await Promise.all(begun)
  }
  await begin(cells.filter(({ role }) => role !== 'scenario'))
  await begin(cells.filter(({ role }) => role === 'scenario'))
  await Promise.all(ends)
  stopPulse()
}

/** `over` resolves when `count` was called so many times. */
function countdown(times: number): { readonly count: () => void; readonly over: Promise<void> } {
  let left = times
  let end = (): void => {}
  const over = new Promise<void>((resolve) => {
    end = resolve
  })
  const count = (): void => {
    left -= 1
    if (left === 0) end()
  }
  return { count, over }
}

/** Resolves with `spoilt` where the cell has to be tried again. */
async function runCell(cell: PlannedCell, way: Way): Promise<'over' | 'spoilt'> {
  const { request } = way
  const world = new CellWorld(cell, request)
  const folder = join(request.folder, cell.id.replaceAll('/', '_').replaceAll('#', '_'))
  let end: Pick<CellEnded, 'status' | 'reason'>
  let hosts = factsOf(cell.scenario.hosts)
  try {
    try {
      hosts = await world.facts()
    } finally {
      announce(cell, hosts, request)
    }
    if (cell.unsupported !== undefined) end = { status: 'unsupported', reason: cell.unsupported }
    else {
      await mkdir(folder, { recursive: true })
      await world.open()
      end = await perform(cell, world, folder, way)
      await world.linger()
    }
  } catch (error) {
    end = { status: statusOf(error), reason: error instanceof Error ? error.message : String(error) }
  }
  await world.close()
  await rm(folder, { recursive: true, force: true }).catch(() => {})
  request.log({ type: 'cell-end', t: request.now(), cell: cell.id, ...end })
  const canBeAlone = cell.alone !== true && request.clients.get(cell.client)?.alone !== undefined
  if (end.status === 'spoilt' && canBeAlone && !request.signal.aborted) return 'spoilt'
  request.progress?.(cell, end.status)
  return 'over'
}

function statusOf(error: unknown): CellEnded['status'] {
  if (error instanceof NoPlaceError) return 'unsupported'
  return error instanceof SpoiltError ? 'spoilt' : 'error'
}

function announce(cell: PlannedCell, hosts: CellBegun['hosts'], request: RunRequest): void {
  const { scenario } = cell
  const { client, policy } = cell
  const asked = request.resolver === undefined || cell.kind !== 'queue' ? '' : ` --resolver ${request.resolver}`
  request.log({
    type: 'cell',
    t: request.now(),
    cell: cell.id,
    scenario: scenario.name,
    title: scenario.title,
    severity: scenario.severity,
    policy: cell.policy,
    judgedAs: cell.judgedAs,
    client: cell.client,
    kind: cell.kind,
    role: cell.role,
    expected: cell.expected,
    clause: cell.clause,
    asserts: scenario.asserts,
    verbMayWork: scenario.verbMayWork,
    noVerdict: cell.noVerdict,
    ...(cell.alone === true ? { alone: true } : {}),
    proof: cell.proof,
    domain: cell.domain,
    hostNames: cell.hostNames,
    hosts,
    clock: request.clock.toISOString(),
    roots: [request.issuer.rootDer],
    canaries: cell.canaries,
    credentials: cell.credentials,
    messages: cell.messages,
    timeScale: request.plan.timeScale,
    deadlineMs: deadlineOf(cell, request.plan.timeScale),
    reproduce: `npx badmx run --only ${scenario.name} --policy ${policy} --client ${client} --seed ${request.plan.seed}${asked}`,
  })
}

/** The steps of the job, in order. */
async function perform(
  cell: PlannedCell,
  world: CellWorld,
  folder: string,
  way: Way,
): Promise<Pick<CellEnded, 'status' | 'reason'>> {
  const { signal } = way.request
  const { job } = cell.scenario
  const desk = await Desk.open(cell, world, folder, way)
  try {
    for (const step of job.steps) {
      if (signal.aborted || desk.refusal !== undefined) break
      if ('phase' in step) await world.enter(step.phase)
      else if ('until' in step) await way.turn.aside(() => world.expired())
      else if ('submit' in step)
        for (let count = 0; count < step.submit && desk.refusal === undefined; count++) await desk.submit(step.policy)
      else if (step.settle !== 'first') await desk.retry(step.settle)
    }
    const { horizonSeconds } = job
    if (horizonSeconds !== undefined) await desk.leaveAlone(horizonSeconds)
    // What a client with a queue does in the end shows at an attempt that its schedule would make by itself.
    else if (!job.steps.some((step) => 'settle' in step && step.settle !== 'first')) await desk.retry('aged')
  } finally {
    await desk.close()
  }
  if (desk.refusal !== undefined) return { status: 'unsupported', reason: desk.refusal }
  return signal.aborted ? { status: 'interrupted', reason: 'the run was interrupted' } : { status: 'done' }
}
