/** A file that the user named, whole or not at all. */
import { rename, rm, writeFile } from 'node:fs/promises'
import { UserError } from './user-error.ts'

/** @throws {UserError} when it cannot be written; what was there before is then still there. */
export async function writeOut(file: string, content: string | Buffer): Promise<void> {
  try {
    await writeFile(`${file}.part`, content)
    await rename(`${file}.part`, file)
  } catch (error) {
    await rm(`${file}.part`, { force: true }).catch(() => {})
    throw new UserError(`cannot write ${file}: ${(error as Error).message}`)
  }
}
