/**
 * The commands: how each is written, what it is for, and where its module is. Only the module of the one that is asked for is
 * loaded: each takes a part of the time until it starts.
 */
import type { ArgumentsCamelCase, Argv, CommandModule } from 'yargs'

/** Takes the exit code. */
export type Done = (exitCode: number) => void

/** What a command's module makes: its options, and what it does. */
export interface Command {
  builder(yargs: Argv): Argv<object>
  handler(given: ArgumentsCamelCase): void | Promise<void>
}

interface Entry {
  /** Its name, and its arguments as yargs writes them. */
  readonly command: string
  readonly describe: string
  load(): Promise<(done: Done) => Command>
}

const COMMANDS: readonly Entry[] = [
  {
    command: 'run',
    describe: 'run scenarios against clients and judge what they do',
    load: async () => (await import('./run-command.ts')).runCommand,
  },
  {
    command: 'compare <old> <new>',
    describe: 'tell what changed between two runs; exit code 1 for regressions and new leaks',
    load: async () => (await import('./compare-command.ts')).compareCommand,
  },
  {
    command: 'tour',
    describe: 'the tour that `npm start` gives',
    load: async () => (await import('./tour.ts')).tourCommand,
  },
  {
    command: 'strip',
    describe: 'a man in the middle in front of a real server',
    load: async () => (await import('./strip-command.ts')).stripCommand,
  },
  {
    command: 'serve',
    describe: 'the whole zoo on loopback, each mail host at an address of its own; or one persona',
    load: async () => (await import('./serve-command.ts')).serveCommand,
  },
  {
    command: 'judge <events>',
    describe: 'judge an event log again, without any network',
    load: async () => (await import('./judge.ts')).judgeCommand,
  },
  {
    command: 'merge <runs..>',
    describe: 'one run of several shards; cells that none of them has are missing',
    load: async () => (await import('./merge-command.ts')).mergeCommand,
  },
  {
    command: 'show <what> [cell]',
    describe:
      'show a scenario by its id, or the ladder of a cell or session: show RUN CELL (globs: inject/*/may/swaks)',
    load: async () => (await import('./show.ts')).showCommand,
  },
  {
    command: 'list',
    describe: 'list the scenarios, or what they are made of',
    load: async () => (await import('./list-command.ts')).listCommand,
  },
  {
    command: 'check [files..]',
    describe: 'check scenario files; without any, the whole catalogue',
    load: async () => (await import('./check-command.ts')).checkCommand,
  },
  {
    command: 'ca [run]',
    describe: 'print the file of the test CA of a run',
    load: async () => (await import('./ca.ts')).caCommand,
  },
  {
    command: 'schema <what>',
    describe: 'print a JSON Schema: of scenario files (for editors) or of the run record',
    load: async () => (await import('./schema.ts')).schemaCommand,
  },
  {
    command: 'lab',
    describe: 'the lab that mail servers run in: list, build, shell, prune',
    load: async () => (await import('./lab-command.ts')).labCommand,
  },
  {
    command: 'doctor',
    describe: 'tell what is on this machine and what it is needed for',
    load: async () => (await import('./doctor.ts')).doctorCommand,
  },
]

export const COMMAND_NAMES: readonly string[] = COMMANDS.map(nameOf)

/**
 * For yargs: the command that the words begin with; where they begin with none, all of them, for the list of them. Shells that
 * complete a line say it behind a word of yargs and the program's name; then options are asked for at once.
 */
export async function commandsFor(words: readonly string[], done: Done): Promise<CommandModule[]> {
  const name = words[0] === '--get-yargs-completions' ? words[2] : words[0]
  const named = COMMANDS.find((entry) => nameOf(entry) === name)
  if (named === undefined) return COMMANDS.map((entry) => whenAsked(entry, done))
  const { command, describe, load } = named
  return [{ command, describe, ...(await load())(done) }]
}

function whenAsked({ command, describe, load }: Entry, done: Done): CommandModule {
  return {
    command,
    describe,
    builder: async (yargs) => (await load())(done).builder(yargs),
    handler: async (given) => (await load())(done).handler(given),
  }
}

function nameOf({ command }: Pick<Entry, 'command'>): string {
  return command.replace(/ .*/, '')
}
