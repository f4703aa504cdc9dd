/**
 * The clients under test that badmx knows: every module of this folder that exports `client` is one, and its id is the
 * name of its file. Modules that export none (what the adapters are made of) are passed over.
 */
import { readdir } from 'node:fs/promises'
import type { ClientAdapter } from '../../scenarios/client.ts'

export { LabError } from '../process/program.ts'
export { ClientFileError, loadClientFile } from './client-file.ts'
export { commandClient } from './command.ts'
export { policySupport } from './environment.ts'
export { shimClient } from './shim.ts'

/**
 * Every known client, sorted by id.
 *
 * @throws where an adapter's id is not the name of its file: a mistake of ours.
 */
export async function knownClients(): Promise<readonly ClientAdapter[]> {
  const folder = new URL('./', import.meta.url)
  const ending = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  const names = (await readdir(folder))
    .map((name) => (name.endsWith(ending) ? name.slice(0, -ending.length) : ''))
    .filter((name) => name !== '' && name !== 'index' && !name.includes('.'))
    .sort()
  const clients: ClientAdapter[] = []
  for (const name of names) {
    const module = (await import(new URL(`${name}${ending}`, folder).href)) as { client?: ClientAdapter }
    if (module.client === undefined) continue
    if (module.client.id !== name)
      throw new Error(`harness/clients/${name}: got id "${module.client.id}", want "${name}"`)
    clients.push(module.client)
  }
  return clients
}
