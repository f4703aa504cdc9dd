/**
 * Finds the certificate faults and the chains that clients present: every module of `faults/` and `client-chains/` that is no
 * test, by listing the folder.
 *
 * A file that exports no `fault`, or one whose id is not the file's name, is a bug of that file and throws.
 */
import { readdir } from 'node:fs/promises'
import type { CertificateFault } from './fault.ts'

/** Every fault by its id, in the order of the ids. */
export function loadFaults(): Promise<ReadonlyMap<string, CertificateFault>> {
  return loadFolder('faults')
}

/** What a client may be given to present, by its id; `good` among them. */
export function loadClientChains(): Promise<ReadonlyMap<string, CertificateFault>> {
  return loadFolder('client-chains')
}

async function loadFolder(name: string): Promise<ReadonlyMap<string, CertificateFault>> {
  const folder = new URL(`./${name}/`, import.meta.url)
  const files = (await readdir(folder)).filter((file) => /^[a-z0-9-]+\.[jt]s$/.test(file))
  const faults = await Promise.all(files.map((file) => loadFault(file, folder)))
  return new Map(faults.sort((a, b) => (a.id < b.id ? -1 : 1)).map((fault) => [fault.id, fault]))
}

async function loadFault(file: string, folder: URL): Promise<CertificateFault> {
  const id = file.replace(/\.[jt]s$/, '')
  const { fault } = (await import(new URL(file, folder).href)) as { fault?: CertificateFault }
  if (fault?.id !== id) throw new Error(`${new URL(file, folder).pathname}: exports ${fault?.id ?? 'none'}, want ${id}`)
  return fault
}
