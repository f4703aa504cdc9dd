/** `badmx check`: scenario files, checked as a compiler would. */
import type { Argv, CommandModule } from 'yargs'
import { knownNames } from '../catalogue.ts'
import { check } from './check.ts'

export function checkCommand(done: (exitCode: number) => void): CommandModule<object, object> {
  return {
    command: 'check [files..]',
    describe: 'check scenario files; without any, the whole catalogue',
    builder: (yargs: Argv) =>
      yargs.positional('files', { array: true, string: true, default: [] }) as unknown as Argv<object>,
    handler: async (given) => {
      const { text, ok } = await check((given as unknown as { files: string[] }).files, await knownNames())
      ;(ok ? process.stdout : process.stderr).write(text)
      done(ok ? 0 : 2)
    },
  }
}
