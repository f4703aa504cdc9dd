/**
 * Known deviations: what a client is known to do wrong, per client and version, with the reason. They do not fail a run;
 * one that does not come is shown, so that the list stays true. Pure.
 */
import { z } from 'zod'
import type { Problem } from './problem.ts'
import { type CellRecord, type RunRecord, VERDICTS, type Verdict } from './record.ts'
import { findings, readYaml } from './yaml-file.ts'

const deviationSchema = z.strictObject({
  client: z
    .string()
    .min(1)
    .describe('The id of the client; `postfix` is that of any release, `postfix@trixie` of one.'),
  version: z
    .union([z.string(), z.array(z.string()).min(1)])
    .optional()
    .describe('Only this version of it, or these; every one where absent.'),
  cell: z.string().min(1).describe('`<family>/<id>/<policy>`; `*` stands for any characters.'),
  verdict: z.enum(VERDICTS).describe('The verdict that is expected.'),
  reason: z.string().min(1).describe('Why: a bug report, a clause of its documentation.'),
})

export const knownSchema = z.array(deviationSchema)

export type KnownDeviation = z.infer<typeof deviationSchema>

/** The verdicts that count as a deviation when they were expected. */
const GOOD: readonly Verdict[] = ['pass', 'info']

/** Reads a list; every problem has its place. */
export function readKnownDeviations(
  file: string,
  text: string,
): { readonly deviations: readonly KnownDeviation[]; readonly problems: readonly Problem[] } {
  const yaml = readYaml(file, text)
  if (yaml.problems.length > 0) return { deviations: [], problems: yaml.problems }
  const problems = findings(knownSchema, yaml.value).map((finding) => yaml.locate(finding))
  return { deviations: problems.length > 0 ? [] : knownSchema.parse(yaml.value), problems }
}

/** The record with what was known marked at its cells. */
export function markKnown(record: RunRecord, deviations: readonly KnownDeviation[]): RunRecord {
  if (deviations.length === 0) return record
  const versions = new Map(record.clients.map(({ id, version }) => [id, version]))
  const cells = record.cells.map((cell) => {
    const known = deviations.find((each) => concerns(each, cell, versions.get(cell.client)))
    if (known === undefined) return cell
    if (known.verdict === cell.verdict) return { ...cell, known: { reason: known.reason, unexpectedPass: false } }
    return GOOD.includes(cell.verdict) ? { ...cell, known: { reason: known.reason, unexpectedPass: true } } : cell
  })
  return { ...record, cells }
}

function concerns(deviation: KnownDeviation, cell: CellRecord, version: string | undefined): boolean {
  if (deviation.client !== cell.client && deviation.client !== withoutRelease(cell.client)) return false
  if (deviation.version !== undefined && ![deviation.version].flat().some((each) => each === version)) return false
  const pattern = deviation.cell
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*')
  return new RegExp(`^${pattern}$`).test(`${cell.scenario}/${cell.policy}`)
}

/** `postfix` of `postfix@trixie`. */
function withoutRelease(client: string): string {
  return client.replace(/@.*$/, '')
}
