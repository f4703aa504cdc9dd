/** The options that name clients under test. */
import type { ClientAdapter } from '../../scenarios/client.ts'
import { commandClient, knownClients, loadClientFile, shimClient } from '../clients/index.ts'
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
    const found = known.find((client) => client.id === name)
    if (found !== undefined) chosen.push(found)
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
