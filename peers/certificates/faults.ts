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

/** One fault: the others are not loaded, of which there are many. Rejects on an unknown id. */
export function loadFault(id: string): Promise<CertificateFault> {
  return loadOne('faults', id, 'certificate fault')
}

/** One of the chains for clients. Rejects on an unknown id. */
export function loadClientChain(id: string): Promise<CertificateFault> {
  return loadOne('client-chains', id, 'client certificate')
}

type Folder = 'faults' | 'client-chains'

async function loadFolder(name: Folder): Promise<ReadonlyMap<string, CertificateFault>> {
  const faults = await Promise.all((await idsIn(name)).map((id) => loadFrom(name, id)))
  return new Map(faults.map((fault) => [fault.id, fault]))
}

async function idsIn(name: Folder): Promise<readonly string[]> {
  const files = await readdir(new URL(`./${name}/`, import.meta.url))
  return files
    .filter((file) => /^[a-z0-9-]+\.[jt]s$/.test(file))
    .map((file) => file.slice(0, -ENDING.length))
    .sort()
}

async function loadOne(name: Folder, id: string, what: string): Promise<CertificateFault> {
  const ids = await idsIn(name)
  if (!ids.includes(id)) throw new RangeError(`unknown ${what} ${id}, want one of ${ids.join(', ')}`)
  return loadFrom(name, id)
}

const ENDING = import.meta.url.slice(-'.js'.length)

async function loadFrom(name: Folder, id: string): Promise<CertificateFault> {
  const { fault } = (await import(new URL(`./${name}/${id}${ENDING}`, import.meta.url).href)) as {
    fault?: CertificateFault
  }
  if (fault?.id !== id) throw new Error(`peers/certificates/${name}/${id}: exports ${fault?.id ?? 'none'}, want ${id}`)
  return fault
}
