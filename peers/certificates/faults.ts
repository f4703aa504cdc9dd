/**
 * Finds the certificate faults: every module of `faults/` that is no test, by listing the folder.
 *
 * A file that exports no `fault`, or one whose id is not the file's name, is a bug of that file and throws.
 */
import { readdir } from 'node:fs/promises'
import type { CertificateFault } from './fault.ts'

const FOLDER = new URL('./faults/', import.meta.url)

/** Every fault by its id, in the order of the ids. */
export async function loadFaults(): Promise<ReadonlyMap<string, CertificateFault>> {
  const files = (await readdir(FOLDER)).filter((file) => /^[a-z0-9-]+\.[jt]s$/.test(file)).sort()
  const faults = await Promise.all(files.map(loadFault))
  return new Map(faults.map((fault) => [fault.id, fault]))
}

async function loadFault(file: string): Promise<CertificateFault> {
  const id = file.replace(/\.[jt]s$/, '')
  const { fault } = (await import(new URL(file, FOLDER).href)) as { fault?: CertificateFault }
  if (fault?.id !== id)
    throw new Error(`certificates/faults/${file}: exports the fault ${fault?.id ?? 'none'}, want ${id}`)
  return fault
}
