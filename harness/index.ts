/** `badmx`: everything, for use in programs of your own; `badmx/peers` is the part that needs no harness. */
export * from '../peers/index.ts'
export type { ClientAdapter, ClientWord, Delivery, PolicySupport, Probe, RunningClient } from '../scenarios/client.ts'
export type { LogEvent } from '../scenarios/events.ts'
export { judge } from '../scenarios/judge/judge.ts'
export { readLog } from '../scenarios/judge/log.ts'
export type { CellRecord, Outcome, RunRecord, Verdict } from '../scenarios/record.ts'
export { type RunOptions, type RunResult, run } from './run.ts'
