/** The options that name clients under test. */
import type { ClientAdapter } from '../../scenarios/client.ts'
import { commandClient, knownClients, loadClientFile, shimClient } from '../clients/index.ts'
import { isLabClient } from '../clients/mta/mta.ts'
import { runningMta } from '../clients/mta/running.ts'
import { isRelease, RELEASES } from '../lab/releases.ts'
import { readText } from '../read-text.ts'
import { UserError } from '../user-error.ts'
import { unknown } from './options.ts'

/** The clients that `--client`, `--command` and `--shim` name. @throws {UserError} */
export async function clientsOf(
  names: readonly string[],
  commands: readonly string[],
  shims: readonly string[] = [],
): Promise<ClientAdapter[]> {
  const known = await knownClients()
  const chosen: ClientAdapter[] = []
  for (const name of names) {
    const running = runningMta(name)
    if (running !== undefined) {
      chosen.push(running)
      continue
    }
    const [id = '', release] = name.split('@')
    const found = known.find((client) => client.id === id)
    if (found !== undefined) chosen.push(release === undefined ? found : ofRelease(found, release))
    else if (/\.ya?ml$/.test(name)) {
      // Read here first for the words that a missing file deserves.
      await readText(name)
      chosen.push(loadClientFile(name))
    } else
      throw unknown(
        'client',
        name,
        known.map((client) => client.id),
      )
  }
  chosen.push(...commands.map((template) => commandClient({ template })))
  chosen.push(...shims.map((command) => shimClient({ command })))
  const twice = chosen.find((client, at) => chosen.findIndex((other) => other.id === client.id) < at)
  if (twice !== undefined) throw new UserError(`the client ${twice.id} is named twice`)
  return chosen
}

/** `postfix@trixie`. @throws {UserError} for a release that is none, and for a client that is not of a distribution. */
function ofRelease(client: ClientAdapter, release: string): ClientAdapter {
  if (!isLabClient(client))
    throw new UserError(`${client.id} is used as it is on this machine: it has no releases to choose from`)
  if (!isRelease(release)) throw unknown('release', release, RELEASES)
  return client.at(release)
}
