/**
 * One run of several: the logs of shards become one log, which is judged as if one machine had run it all. Cells that none
 * of them has are `missing`.
 */
import { join } from 'node:path'
import type { GateOptions } from '../reports/gate.ts'
import type { LogEvent, RunBegun } from '../scenarios/events.ts'
import { judge } from '../scenarios/judge/judge.ts'
import { readLog } from '../scenarios/judge/log.ts'
import { type KnownDeviation, markKnown } from '../scenarios/known.ts'
import { readText } from './read-text.ts'
import { type RunResult, writeReports } from './run.ts'
import { findRun, RunFolder } from './run-folder.ts'
import { UserError } from './user-error.ts'

export interface MergeOptions {
  /** Logs, or folders of runs. */
  readonly runs: readonly string[]
  readonly known: readonly KnownDeviation[]
  readonly gate: GateOptions
  /** Folder of the merged run; default a new one under `badmx-out`. */
  readonly out?: string
}

/** @throws {UserError} {LogError} when one cannot be read, or they are not shards of one plan; nothing is written then. */
export async function mergeRuns({ runs, known, gate, out }: MergeOptions): Promise<RunResult> {
  const events: LogEvent[] = []
  const begun: { readonly file: string; readonly run: RunBegun }[] = []
  for (const name of runs) {
    const file = await logFile(name)
    const own = [...readLog(await readText(file), file)]
    for (const event of own) if (event.type === 'run') begun.push({ file, run: event })
    events.push(...own)
  }
  checkShards(begun)
  const record = markKnown(judge(events), known)
  const folder = await RunFolder.create(out, new Date())
  for (const event of events) folder.event(event)
  await folder.closeEvents()
  return { record, folder: folder.path, formats: await writeReports(record, events, folder, gate) }
}

/** The log that a person means by a file, the folder of a run, or `latest`. */
export async function logFile(name: string): Promise<string> {
  return name.endsWith('.ndjson') ? name : join(await findRun(name), 'events.ndjson')
}

function checkShards(begun: readonly { readonly file: string; readonly run: RunBegun }[]): void {
  const [first] = begun
  if (first === undefined) throw new UserError('there is no run in these logs')
  const shards = new Map<string, string>()
  for (const { file, run } of begun) {
    if (run.plan !== first.run.plan)
      throw new UserError(
        `${file} is of another plan than ${first.file}`,
        'shards are runs of the same command line, of the same badmx, with another --shard',
      )
    const twice = shards.get(run.shard)
    if (twice !== undefined) throw new UserError(`${file} and ${twice} are both the shard ${run.shard}`)
    shards.set(run.shard, file)
  }
}
