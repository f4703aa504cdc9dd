/**
 * `npm run bench`: what badmx costs, against the bare parts that it is made of. It reports and gates nothing: the exit
 * code is 0 whether or not a goal is reached, 2 for a wrong word, 3 when the benchmark itself failed, 130 on Ctrl-C.
 *
 *     npm run bench                 a table
 *     npm run bench -- --json       the figures
 *     npm run bench -- idle suites  some of its parts
 */
import { interruptible } from '../interrupt.ts'
import { bulk } from './bulk-ciphers.ts'
import { type Comparison, engines, peers, proxies } from './contest.ts'
import { dns } from './dns.ts'
import { mta } from './mta.ts'
import { idle, start, suites } from './scale.ts'
import { toTable } from './table.ts'

const PARTS = { peers, engines, bulk, proxies, dns, idle, suites, mta, start }

function isPart(word: string): word is keyof typeof PARTS {
  return Object.hasOwn(PARTS, word)
}

async function bench(words: readonly string[]): Promise<number> {
  const named = words.filter((word) => word !== '--json')
  const unknown = named.find((word) => !isPart(word))
  if (unknown !== undefined) {
    process.stderr.write(
      `bench: "${unknown}" is not known; the parts are ${Object.keys(PARTS).join(', ')}, then --json\n`,
    )
    return 2
  }
  const parts = named.length === 0 ? Object.values(PARTS) : named.filter(isPart).map((name) => PARTS[name])
  const { signal, release } = interruptible()
  try {
    const tell = (line: string) => process.stderr.write(`bench: ${line}\n`)
    const comparisons: Comparison[] = []
    for (const part of parts) comparisons.push(...(await part(signal, tell)))
    const json = { node: process.versions.node, comparisons }
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
