/** `badmx merge`: one run record of the logs of several shards. */
import type { Argv } from 'yargs'
import { gate } from '../../reports/gate.ts'
import { renderTerminal } from '../../reports/terminal.ts'
import { knownDeviations } from '../known.ts'
import { mergeRuns } from '../merge.ts'
import type { Command, Done } from './commands.ts'
import { wantsColor, width } from './options.ts'

interface Given {
  readonly runs: string[]
  readonly out?: string
  readonly known?: string
}

export function mergeCommand(done: Done): Command {
  return {
    builder: (yargs: Argv) =>
      yargs
        .positional('runs', {
          string: true,
          array: true,
          demandOption: true,
          describe: 'folders of runs, or their events.ndjson',
        })
        .option('out', {
          string: true,
          requiresArg: true,
          describe: 'folder of the merged run (default badmx-out/<time>)',
        })
        .option('known', { string: true, requiresArg: true, describe: 'file with known deviations, or shipped' })
        .example(
          '$0 merge shard-1 shard-2 shard-3 shard-4 --out merged',
          'after four `badmx run --shard N/4`',
        ) as unknown as Argv<object>,
    handler: async (given) => done(await handle(given as unknown as Given)),
  }
}

async function handle({ runs, out, known }: Given): Promise<number> {
  const { record, folder, formats } = await mergeRuns({
    runs,
    known: await knownDeviations(known),
    gate: {},
    ...(out === undefined ? {} : { out }),
  })
  process.stdout.write(
    renderTerminal(record, {
      color: wantsColor(),
      width: width(),
      files: formats,
      show: (cell) => `npx badmx show ${folder} ${cell.id}`,
    }),
  )
  return gate(record).exitCode
}
