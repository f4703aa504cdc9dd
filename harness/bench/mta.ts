/**
 * A suite in a lab: the whole catalogue under `may`, `encrypt` and `verify` against Postfix, as `badmx run` runs it, reports
 * and captures included. It cannot be shorter than its critical path, the start of the MTA and the slowest cell; and badmx is
 * worth its place beside a client only where it is not what the machine is busy with.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Comparison } from './contest.ts'
import type { MtaReport } from './mta-process.ts'
import { pairedRatio, spread } from './statistics.ts'

/** Each is a lab of its own, and minutes. */
const ROUNDS = 3

/** Nothing, with a word why, where no lab can be had, or no Postfix for it. */
export async function mta(signal: AbortSignal, tell: (line: string) => void): Promise<Comparison[]> {
  const reports: MtaReport[] = []
  for (let round = 0; round < ROUNDS; round++) {
    tell(`Postfix in a lab: the whole catalogue, round ${round + 1} of ${ROUNDS}`)
    const report = await suite(signal, tell)
    if (report === undefined) return []
    reports.push(report)
  }
  return compared(reports)
}

/** One round; undefined where there is no lab. */
async function suite(signal: AbortSignal, tell: (line: string) => void): Promise<MtaReport | undefined> {
  const script = fileURLToPath(new URL('mta-process.js', import.meta.url))
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'pipe'], signal })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  if (code === 0) return JSON.parse(stdout) as MtaReport
  if (code !== 3) throw new Error(`the suite in a lab ended with ${code}: ${stderr.trim()}`)
  tell(`no Postfix: ${stderr.trim().split('\n').at(-1)}`)
  return undefined
}

/** Pure. */
export function compared(reports: readonly MtaReport[]): Comparison[] {
  const each = (figure: (report: MtaReport) => number): number[] => reports.map(figure)
  const wall = each(({ wallMs }) => wallMs)
  const harness = each(({ harnessCpuMs }) => harnessCpuMs)
  const [{ version, cells } = { version: '', cells: 0 }] = reports
  const name = `Postfix ${version}, ${cells} cells`
  return [
    {
      name,
      ...{ unit: 'wall time', base: 'its start and slowest cell alone', by: 'ratio', goal: { atMost: 1.2 } },
      against: pairedRatio(
        wall,
        each(({ startMs, slowestMs }) => startMs + slowestMs),
      ),
      own: spread(wall),
    },
    {
      name,
      ...{ unit: 'cells per second', by: 'ratio' },
      own: spread(each((report) => (report.cells * 1000) / report.wallMs)),
    },
    {
      name: `${name}: harness`,
      ...{ unit: 'CPU time', base: "the client's", by: 'ratio' },
      against: pairedRatio(
        harness,
        each(({ clientCpuMs }) => clientCpuMs),
      ),
      own: spread(harness),
    },
  ]
}
