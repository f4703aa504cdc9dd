/** Reads a run record that the user named: a run.json, the folder of a run, or `latest`. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { runRecordSchema } from '../reports/schema.ts'
import type { RunRecord } from '../scenarios/record.ts'
import { readText } from './read-text.ts'
import { LATEST } from './run-folder.ts'
import { UserError } from './user-error.ts'

/** @throws {UserError} when there is no such file, or it is no run record of this schema, and where it is not. */
export async function readRun(name: string): Promise<RunRecord> {
  const path = name === 'latest' ? LATEST : name
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  const file = isFolder ? join(path, 'run.json') : path
  const text = await readText(file)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new UserError(`${file} is not JSON: ${(error as Error).message}`, NEXT)
  }
  const read = runRecordSchema.safeParse(value)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw new UserError(`${file} is no run record: ${issue?.path.join('.') || 'the whole'}: ${issue?.message}`, NEXT)
}

const NEXT = 'want run.json or the folder of a run; `badmx judge LOG --json` makes a record of an event log'
