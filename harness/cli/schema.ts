/** `badmx schema`: the JSON Schemas of what badmx reads and writes. */
import type { Argv } from 'yargs'
import { runRecordJsonSchema } from '../../reports/schema.ts'
import { scenarioJsonSchema } from '../../scenarios/json-schema.ts'
import { knownNames } from '../catalogue.ts'
import type { Command, Done } from './commands.ts'

export function schemaCommand(done: Done): Command {
  return {
    builder: (yargs: Argv) =>
      yargs.positional('what', {
        choices: ['scenario', 'run'] as const,
        demandOption: true,
      }) as unknown as Argv<object>,
    handler: async (given) => {
      const schema =
        (given as unknown as { what: string }).what === 'run'
          ? runRecordJsonSchema()
          : scenarioJsonSchema(await knownNames())
      process.stdout.write(`${JSON.stringify(schema, null, 2)}\n`)
      done(0)
    },
  }
}
