/** `badmx check`: scenario files, checked as a compiler would. */
import type { Argv } from 'yargs'
import { knownNames } from '../catalogue.ts'
import { check } from './check.ts'
import type { Command, Done } from './commands.ts'

export function checkCommand(done: Done): Command {
  return {
    builder: (yargs: Argv) =>
      yargs.positional('files', { array: true, string: true, default: [] }) as unknown as Argv<object>,
    handler: async (given) => {
      const { text, ok } = await check((given as unknown as { files: string[] }).files, await knownNames())
      ;(ok ? process.stdout : process.stderr).write(text)
      done(ok ? 0 : 2)
    },
  }
}
