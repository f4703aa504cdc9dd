/** `badmx judge`: the run record again, from the event log alone. */
import type { Argv } from 'yargs'
import { gate } from '../../reports/gate.ts'
import { renderTerminal } from '../../reports/terminal.ts'
import { judge } from '../../scenarios/judge/judge.ts'
import { readLog } from '../../scenarios/judge/log.ts'
import { markKnown } from '../../scenarios/known.ts'
import { knownDeviations } from '../known.ts'
import { logFile } from '../merge.ts'
import { readText } from '../read-text.ts'
import type { Command, Done } from './commands.ts'
import { wantsColor, width } from './options.ts'

export function judgeCommand(done: Done): Command {
  return {
    builder: (yargs: Argv) =>
      yargs
        .positional('events', {
          string: true,
          demandOption: true,
          describe: 'events.ndjson, the folder of a run, or latest',
        })
        .option('json', { boolean: true, default: false, describe: 'print the run record' })
        .option('known', {
          string: true,
          requiresArg: true,
          describe: 'file with known deviations, or shipped',
        }) as unknown as Argv<object>,
    handler: async (given) => done(await handle(given as unknown as { events: string; json: boolean; known?: string })),
  }
}

async function handle(given: { events: string; json: boolean; known?: string }): Promise<number> {
  const file = await logFile(given.events)
  const known = await knownDeviations(given.known)
  const record = markKnown(judge(readLog(await readText(file), file)), known)
  if (given.json) process.stdout.write(`${JSON.stringify(record, null, 2)}\n`)
  else
    process.stdout.write(
      renderTerminal(record, {
        color: wantsColor(),
        width: width(),
        files: [{ path: file, title: 'the log' }],
        show: (cell) => `npx badmx show ${given.events} ${cell.id}`,
      }),
    )
  return gate(record).exitCode
}
