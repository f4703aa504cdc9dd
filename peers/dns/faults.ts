/**
 * Finds the DNS faults: every module of `faults/` that exports `fault`, by listing the folder; its id is its file's
 * name.
 */
import { readdir } from 'node:fs/promises'
import type { Fault } from './fault.ts'

const FOLDER = new URL('./faults/', import.meta.url)

/**
 * Every fault by its id, in the order of the ids. Throws on a file that breaks the rules of the folder: a bug of ours.
 */
export async function loadDnsFaults(folder: URL = FOLDER): Promise<ReadonlyMap<string, Fault>> {
  const files = (await readdir(folder)).filter((file) => /^[a-z0-9-]+\.[jt]s$/.test(file)).sort()
  const faults = files.map(async (file) => {
    const id = file.replace(/\.[jt]s$/, '')
    const { fault } = (await import(new URL(file, folder).href)) as { fault?: Fault }
    if (fault?.id !== id) throw new Error(`dns/faults/${file}: exports the fault ${fault?.id ?? 'none'}, want ${id}`)
    if (!fault.parameters.safeParse({}).success) throw new Error(`dns/faults/${file}: every parameter needs a default`)
    return fault
  })
  return new Map((await Promise.all(faults)).map((fault) => [fault.id, fault]))
}
