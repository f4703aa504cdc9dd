/** Reads a file that the user named. */
import { readFile } from 'node:fs/promises'
import { UserError } from './user-error.ts'

/** @throws {UserError} when it cannot be read. */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : message
    throw new UserError(`cannot read ${file}: ${why}`)
  }
}
