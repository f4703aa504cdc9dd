/**
 * `npm run bench`: what badmx costs, against the bare parts that it is made of. It reports and gates nothing: the exit
 * code is 0 whether or not a goal is reached, 2 for a wrong word, 3 when the benchmark itself failed, 130 on Ctrl-C.
 *
 *     npm run bench            a table
 *     npm run bench -- --json  the figures
 */
import { interruptible } from '../interrupt.ts'
import { ROUNDS } from './comparison.ts'
import { runContests } from './contest.ts'
import { toTable } from './table.ts'

async function bench(words: readonly string[]): Promise<number> {
  const unknown = words.find((word) => word !== '--json')
  if (unknown !== undefined) {
    process.stderr.write(`bench: "${unknown}" is not known; the only option is --json\n`)
    return 2
  }
  const { signal, release } = interruptible()
  try {
    const comparisons = await runContests(signal, (line) => process.stderr.write(`bench: ${line}\n`))
    const json = { node: process.versions.node, rounds: ROUNDS, comparisons }
    process.stdout.write(words.includes('--json') ? `${JSON.stringify(json, undefined, 2)}\n` : toTable(comparisons))
    return 0
  } catch (error) {
    if (signal.aborted) return 130
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
    return 3
  } finally {
    release()
  }
}

process.exitCode = await bench(process.argv.slice(2))
