/** `badmx compare`: what changed between two runs. */
import { randomBytes } from 'node:crypto'
import type { Argv } from 'yargs'
import { compareRecords } from '../../reports/compare.ts'
import { renderComparisonHtml } from '../../reports/compare-html.ts'
import { renderComparison, renderComparisonMarkdown } from '../../reports/compare-text.ts'
import { jsonText } from '../../reports/text.ts'
import { onGitHub, withoutCommands } from '../ci.ts'
import { readRun } from '../read-run.ts'
import { writeOut } from '../write-out.ts'
import type { Command, Done } from './commands.ts'
import { wantsColor, width } from './options.ts'

interface Given {
  readonly old: string
  readonly new: string
  readonly markdown?: boolean
  readonly json?: boolean
  readonly html?: string
}

export function compareCommand(done: Done): Command {
  return {
    builder: (yargs: Argv) =>
      yargs
        .positional('old', { string: true, demandOption: true, describe: 'run.json, the folder of a run, or latest' })
        .positional('new', { string: true, demandOption: true, describe: 'the same' })
        .option('markdown', { boolean: true, describe: 'for a pull request or a job summary' })
        .option('json', { boolean: true, describe: 'for programs' })
        .option('html', { string: true, requiresArg: true, describe: 'write it to this file too, as a page' })
        .conflicts('markdown', 'json')
        .example('$0 compare results-9.0.2 results-9.0.3', 'two releases of a client')
        .example(
          '$0 compare baseline.json latest',
          'the latest run against one that was kept',
        ) as unknown as Argv<object>,
    handler: async (given) => done(await handle(given as unknown as Given)),
  }
}

async function handle(given: Given): Promise<number> {
  const comparison = compareRecords(await readRun(given.old), await readRun(given.new))
  if (given.html !== undefined) await writeOut(given.html, renderComparisonHtml(comparison))
  if (given.json === true) process.stdout.write(`${jsonText(comparison, 2)}\n`)
  else if (given.markdown === true) process.stdout.write(renderComparisonMarkdown(comparison))
  else {
    const text = renderComparison(comparison, { color: wantsColor(), width: width() })
    process.stdout.write(onGitHub(process.env) ? withoutCommands(text, randomBytes(16).toString('hex')) : text)
  }
  return comparison.exitCode
}
