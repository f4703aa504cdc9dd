/** `badmx schema`: the JSON Schemas of what badmx reads and writes. */
import type { Argv, CommandModule } from 'yargs'
import { runRecordJsonSchema } from '../../reports/schema.ts'
import { scenarioJsonSchema } from '../../scenarios/json-schema.ts'
import { knownNames } from '../catalogue.ts'

export function schemaCommand(done: (exitCode: number) => void): CommandModule<object, object> {
  return {
    command: 'schema <what>',
    describe: 'print a JSON Schema: of scenario files (for editors) or of the run record',
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
