/**
 * What a report format is: a pure function from a run record to text. One file per format, `reports/formats/<id>.ts`,
 * found by listing the folder; it exports `format`, and the id is the file's name. No format knows another.
 */
import { readdir } from 'node:fs/promises'
import type { LogEvent } from '../scenarios/events.ts'
import type { RunRecord } from '../scenarios/record.ts'
import type { GateOptions } from './gate.ts'

export interface ReportFormat {
  /** Equal to the file's name, kebab-case. */
  readonly id: string
  /** The name of the file that holds it, in the folder of a run: `junit.xml`. */
  readonly file: string
  /** One line, what it is and who reads it. */
  readonly title: string
  /**
   * The whole file, ending in a line feed. The options say what counts as a failure; the event log is there for formats
   * that show what happened, and what they show without it is less. Deterministic; never throws.
   */
  render(record: RunRecord, options?: GateOptions, log?: readonly LogEvent[]): string
}

/**
 * All formats by id, in alphabetical order. Throws an Error when a file of the folder exports no `format` of its own name.
 */
export async function loadFormats(): Promise<ReadonlyMap<string, ReportFormat>> {
  const folder = new URL('./formats/', import.meta.url)
  const names = (await readdir(folder)).filter((name) => /^[a-z0-9-]+\.[jt]s$/.test(name)).sort()
  const formats = new Map<string, ReportFormat>()
  for (const name of names) {
    const id = name.slice(0, -3)
    const { format } = (await import(new URL(name, folder).href)) as { format?: ReportFormat }
    if (format?.id !== id) throw new Error(`reports/formats/${name}: got format "${format?.id}", want "${id}"`)
    formats.set(id, format)
  }
  return formats
}
