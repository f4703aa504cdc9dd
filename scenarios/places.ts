/**
 * Which cells begin before which, and at which {@link Gate}. A run is as long as the cells that wait longest, if only they begin
 * first; what the others cost the machine goes on beside them.
 */
import { seeded } from '../peers/random.ts'
import { Gate } from './gate.ts'
import type { PlannedCell } from './plan.ts'
import { FLOOR } from './policy.ts'

/** Attempts of clients with a queue that begin at once; see {@link Gate}. */
const QUEUE_ATTEMPTS = 24
/** How many cells of one-shot clients that mostly wait are at work for each other one. */
const WAITING_PER_JOB = 2

/**
 * Those that mostly wait first: of them those whose policy allows clear, for their client may wait in TLS and then once more
 * without. Among equals in an order drawn from the seed: the catalogue has floods side by side, which would keep a machine from
 * all else. The others as they are.
 */
export function longestFirst(cells: readonly PlannedCell[], seed: number): PlannedCell[] {
  const drawn = new Map(cells.map((cell) => [cell, cell.slow ? seeded(seed, 'order', cell.id)() : 0]))
  return [...cells].sort((a, b) => rank(a) - rank(b) || (drawn.get(a) ?? 0) - (drawn.get(b) ?? 0))
}

function rank({ slow, judgedAs }: PlannedCell): number {
  if (!slow) return 2
  return FLOOR[judgedAs] === 'C' ? 0 : 1
}

/** The gates of a run. */
export class Places {
  /** Of one-shot clients: those at work, and those that mostly wait and would keep the former from their places. */
  private readonly working: Gate
  private readonly waiting: Gate
  private readonly queue = new Gate(QUEUE_ATTEMPTS, 'while-busy')
  /** Left to the client's own schedule: they share a clock, and are the longest of all. */
  private readonly own = new Gate(QUEUE_ATTEMPTS, 'while-busy')

  /** @param jobs cells of one-shot clients at once, 1 or more; one is one thing after the other */
  constructor(jobs: number) {
    this.working = new Gate(jobs, 'held')
    this.waiting = jobs === 1 ? this.working : new Gate(jobs * WAITING_PER_JOB, 'held')
  }

  gateOf({ kind, scenario, slow }: PlannedCell): Gate {
    if (kind === 'one-shot') return slow ? this.waiting : this.working
    return scenario.job.horizonSeconds === undefined ? this.queue : this.own
  }
}
