/** What the benchmark reports. */
import type { Goal, Spread } from './statistics.ts'

/** One line of the result. */
export interface Comparison {
  readonly name: string
  /** What the ratio is of. */
  readonly unit: 'CPU per session' | 'throughput'
  readonly base: string
  /** Against the base, round by round. Undefined where this system does not tell, or the program is not installed. */
  readonly ratio?: Spread
  /** Microseconds of CPU per session, or MB/s, of its own. */
  readonly own?: Spread
  readonly goal?: Goal
}

/** Rounds that count; the one before them warms up and does not. */
export const ROUNDS = 11
