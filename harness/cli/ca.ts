/** `badmx ca`: where the test CA of a run is, for clients that are to trust it. */
import { join, resolve } from 'node:path'
import type { Argv } from 'yargs'
import { readText } from '../read-text.ts'
import { findRun } from '../run-folder.ts'
import type { Command, Done } from './commands.ts'

export function caCommand(done: Done): Command {
  return {
    builder: (yargs: Argv) =>
      yargs.positional('run', {
        string: true,
        default: 'latest',
        describe: 'the folder of a run, or latest',
      }) as unknown as Argv<object>,
    handler: async (given) => {
      const file = join(await findRun((given as unknown as { run: string }).run), 'ca.pem')
      await readText(file)
      process.stdout.write(`${resolve(file)}\n`)
      done(0)
    },
  }
}
