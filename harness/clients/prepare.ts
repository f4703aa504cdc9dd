/** Makes the program of a client that is not there as one, by a compiler or install(1), in a folder that goes with badmx. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LabError } from '../process/program.ts'
import { runProgram } from '../process/starter.ts'
import { clientEnvironment } from './environment.ts'

/** How long it may take, such as a compiler whose standard library is not in its cache yet, in milliseconds. */
const PREPARE_MS = 300_000

/**
 * Runs the command line that makes it in `folder`; returns that folder.
 *
 * @param env added to the client's environment.
 * @throws {LabError} where it fails
 */
export async function prepare(
  command: (folder: string) => readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'badmx-program-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const argv = command(folder)
  const { exitCode, stdout, stderr } = await runProgram({
    argv,
    env: clientEnvironment(env),
    cwd: folder,
    deadlineMs: PREPARE_MS,
    signal: new AbortController().signal,
  })
  if (exitCode === 0) return folder
  const last = `${stdout}\n${stderr}`.trim().split('\n').at(-1)
  throw new LabError('client-start', `${argv[0]}: ${last}`, `run it by hand to see why: ${argv.join(' ')}`)
}
