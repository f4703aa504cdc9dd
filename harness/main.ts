/**
 * The command line. Each command is a file of `cli/`, and `cli/commands.ts` is the list of them; here are only the things
 * that they share: how an error looks, and the exit codes.
 *
 * 0 fine · 1 findings · 2 usage, configuration, or nothing matched · 3 harness trouble · 130 interrupted
 */
import yargs, { type CommandModule } from 'yargs'
import { hideBin } from 'yargs/helpers'
import { nearestName } from '../peers/nearest-name.ts'
import { COMMAND_NAMES, commandsFor } from './cli/commands.ts'
import { UserError } from './user-error.ts'
import { VERSION } from './version.ts'

/** Runs one command line. Resolves with the exit code; never rejects. */
export async function main(words: readonly string[]): Promise<number> {
  let exitCode = 0
  const done = (code: number): void => {
    exitCode = code
  }
  try {
    await yargs([...words])
      .scriptName('badmx')
      .locale('en')
      .usage(
        '$0 <command>\n\nA zoo of broken mail servers, a STARTTLS stripper, and a runner that tells what a client does.',
      )
      .command((await commandsFor(words, done)) as unknown as CommandModule)
      .completion('completion', 'print a script that completes commands and options in bash or zsh')
      .demandCommand(1, 'name a command')
      .strict()
      .wrap(Math.min(110, process.stdout.columns ?? 110))
      .version(VERSION)
      .help()
      .example('$0 run --client curl --policy may,encrypt,verify', 'what curl does, in every scenario')
      .example(
        '$0 strip --listen 127.0.0.1:2526 --target 127.0.0.1:2525 --behaviour hide-starttls',
        'a man in the middle',
      )
      .epilogue('Exit codes: 0 fine, 1 findings, 2 usage or configuration, 3 harness trouble, 130 interrupted.')
      .exitProcess(false)
      .fail((message, error, usage) => {
        // yargs makes an error of its own for some mistakes of the command line (YError), and only a message for others.
        if (error !== undefined && error.name !== 'YError') throw error
        throw new UserError(
          withNearest(message, words, optionsOf(usage)),
          'badmx --help tells the commands and options',
        )
      })
      .parseAsync()
  } catch (error) {
    return complain(error)
  }
  return exitCode
}

/** The options that the command knows: what yargs passes here is its usage, whatever its types say. */
function optionsOf(usage: object): readonly string[] {
  const { getDescriptions } = usage as { getDescriptions?: () => object }
  return Object.keys(getDescriptions?.() ?? {})
}

/** yargs says which word it does not know; we say which one was probably meant. */
function withNearest(message: string, words: readonly string[], options: readonly string[]): string {
  const unknown = /^Unknown (?:argument|command)s?: (.+)$/.exec(message)?.[1]?.split(', ')[0]
  if (unknown === undefined) return message.replace(/\s*\n\s*/g, ' ')
  const isOption = words.some((word) => word.replace(/^-+/, '').split('=')[0] === unknown && word.startsWith('-'))
  if (isOption) return `there is no option --${unknown}${meant(nearestName(unknown, options), '--')}`
  if (words[0] === unknown)
    return `there is no command "${unknown}"${meant(nearestName(unknown, [...COMMAND_NAMES, 'completion']))}`
  return `got "${unknown}", and nothing is expected there`
}

function meant(name: string | undefined, prefix = ''): string {
  return name === undefined ? '' : `; did you mean "${prefix}${name}"?`
}

/** Errors of a person in plain words; our own with what is needed to report them. */
function complain(error: unknown): number {
  if (error instanceof UserError) {
    process.stderr.write(`badmx: ${error.message}\n${error.next === undefined ? '' : `  ${error.next}\n`}`)
    return error.exitCode
  }
  if (isExpected(error)) {
    process.stderr.write(`badmx: ${error.message}\n`)
    return 2
  }
  process.stderr.write(
    `badmx: a bug of badmx, please report it with this text:\n${error instanceof Error ? error.stack : String(error)}\n`,
  )
  return 3
}

/** The errors of the libraries under the harness that a person can meet have a code and a message for people. */
function isExpected(error: unknown): error is Error {
  const names = [
    'ListenError',
    'StackError',
    'SelectionError',
    'ClientFileError',
    'TemplateError',
    'LabError',
    'LogError',
  ]
  return error instanceof Error && names.includes(error.name)
}

/** Warnings of Node go to stderr as they do without us, but for one: peers are weak on purpose, and it means them. */
function tellWarnings(): void {
  process.removeAllListeners('warning')
  process.on('warning', ({ name, message }) => {
    if (name === 'SecurityWarning' && message.startsWith('DH parameter is less than')) return
    process.stderr.write(`(node:${process.pid}) ${name}: ${message}\n`)
  })
}

/** Called by the launcher. */
export async function start(): Promise<void> {
  tellWarnings()
  // A reader that goes away (`| head`) is not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 3))
  process.exitCode = await main(hideBin(process.argv))
}
