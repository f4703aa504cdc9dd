/** `badmx run`. */
import { randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import type { ArgumentsCamelCase, Argv } from 'yargs'
import { compareRecords } from '../../reports/compare.ts'
import { renderComparison } from '../../reports/compare-text.ts'
import { gate, weigh } from '../../reports/gate.ts'
import { renderTerminal } from '../../reports/terminal.ts'
import type { ClientAdapter } from '../../scenarios/client.ts'
import type { Policy } from '../../scenarios/policy.ts'
import type { CellRecord, RunRecord } from '../../scenarios/record.ts'
import { allScenarios } from '../catalogue.ts'
import { onGitHub, tellGitHub, withoutCommands } from '../ci.ts'
import { isLabClient } from '../clients/mta/mta.ts'
import { interruptible } from '../interrupt.ts'
import { knownDeviations } from '../known.ts'
import { enterLab, insideLab, ownCommand } from '../lab/enter.ts'
import { ensureLayer, type Layer } from '../lab/layer.ts'
import type { LayerSpec } from '../lab/packages.ts'
import { buildProgress } from '../lab/progress.ts'
import { RESOLVER_LAYER, RESOLVERS, type ResolverName } from '../lab/resolver.ts'
import { requireSupport } from '../lab/support.ts'
import { progressLine } from '../progress.ts'
import { readRun } from '../read-run.ts'
import { readText } from '../read-text.ts'
import { type RunOptions, type RunResult, run } from '../run.ts'
import { findRun } from '../run-folder.ts'
import { UserError } from '../user-error.ts'
import { clientsOf } from './clients-option.ts'
import type { Command, Done } from './commands.ts'
import { numberIn, policiesOf, wantsColor, width, words } from './options.ts'

/** How much faster than the RFC's limits a run is, unless told otherwise: ten minutes become six seconds. */
export const TIME_SCALE = 100

/** Where none is named. */
export const POLICIES: readonly Policy[] = ['may', 'encrypt', 'verify']

/** Cells at once: most of them wait for a timer, of the client or of the peer. */
export const JOBS = availableParallelism() * 8

function options(yargs: Argv) {
  return yargs
    .option('client', {
      array: true,
      string: true,
      requiresArg: true,
      describe:
        'clients under test: names, client files (.yaml), or smtp:ADDRESS:PORT, a mail server that runs here already',
    })
    .option('command', {
      array: true,
      string: true,
      requiresArg: true,
      describe: "any program: 'prog {name} {host} {port} {from} {to} {message} {ca}'",
    })
    .option('shim', {
      array: true,
      string: true,
      requiresArg: true,
      describe: "a library: 'node shim.js', a program that reads deliveries as JSON lines",
    })
    .option('policy', {
      array: true,
      string: true,
      requiresArg: true,
      describe: 'what the client is told to require; of smtp:… what it is configured to',
      defaultDescription: POLICIES.join(','),
    })
    .option('only', {
      array: true,
      string: true,
      requiresArg: true,
      describe: 'ids, families, globs (strip/strip-reply-*), severity:critical',
    })
    .option('scenario', {
      array: true,
      string: true,
      requiresArg: true,
      describe: 'your own scenario files, beside the catalogue',
    })
    .option('root', {
      string: true,
      requiresArg: true,
      describe:
        "your own build of the mail server under test: a tree of make install DESTDIR=… over the distribution's",
    })
    .option('config', {
      string: true,
      requiresArg: true,
      describe: 'file that is added to the configuration of the mail server under test, in its language',
    })
    .option('resolver', {
      choices: Object.keys(RESOLVERS) as ResolverName[],
      describe:
        "whom mail servers in the lab ask: badmx's own resolver, or unbound without (classic) or with (modern) QNAME minimisation and aggressive NSEC, realistic with its own time limits",
      default: 'embedded' as const,
    })
    .option('out', { string: true, requiresArg: true, describe: 'folder for the results (default badmx-out/<time>)' })
    .option('jobs', {
      number: true,
      requiresArg: true,
      describe: 'cells at once; of those that only wait, twice as many',
      default: JOBS,
    })
    .option('repeat', { number: true, requiresArg: true, describe: 'run each cell so many times', default: 1 })
    .option('seed', { number: true, requiresArg: true, describe: 'same seed, same world', default: 1 })
    .option('time-scale', {
      number: true,
      requiresArg: true,
      describe: 'divide the delays of peers, the timeouts of clients and the deadlines by this',
      default: TIME_SCALE,
    })
    .option('capture', {
      boolean: true,
      describe: 'write cells/…/capture.pcapng for each cell, with the TLS secrets inside',
      default: true,
    })
    .option('last-failed', { boolean: true, describe: 'only the cells that failed in the latest run', default: false })
    .option('shard', { string: true, requiresArg: true, describe: "this machine's share: 1/4" })
    .option('known', {
      string: true,
      requiresArg: true,
      describe: 'file with known deviations, which do not fail the run, or shipped',
    })
    .option('baseline', {
      string: true,
      requiresArg: true,
      describe: 'run.json or folder of an earlier run: only regressions and new leaks against it fail this one',
    })
    .option('fail-on', {
      choices: ['flagged'] as const,
      describe: 'what is permitted but worth knowing fails the run too',
    })
    .option('strict', {
      boolean: true,
      describe: 'a client that refuses what it may deliver fails the run too',
      default: false,
    })
    .example('$0 run --client nodemailer', 'the whole catalogue under may, encrypt and verify')
    .example('$0 run --client swaks,curl --only inject --policy may,encrypt', 'one family')
    .example(
      '$0 run --client smtp:127.0.0.1:2525 --policy may',
      'a mail server of this machine whose resolver is 127.18.0.53; none elsewhere, for badmx listens on loopback only',
    )
    .example("$0 run --command './mysend {host} {port} {from} {to} {message}' --policy may", 'a program of your own')
}

type Given = ArgumentsCamelCase<Awaited<ReturnType<typeof options>['argv']>>

export function runCommand(done: Done): Command {
  return {
    builder: options as unknown as (yargs: Argv) => Argv<object>,
    handler: async (given) => done(await handle(given as Given)),
  }
}

async function handle(given: Given): Promise<number> {
  const names = words(given.client, 'client')
  const commands = (given.command ?? []).map(String)
  const shims = (given.shim ?? []).map(String)
  const none = names.length + commands.length + shims.length === 0
  const clients = await clientsOf(none ? ['nodemailer'] : names, commands, shims)
  const layers = clients.filter(isLabClient).map(({ layer }) => layer)
  const lab = await labOptions(given, layers.length)
  const { resolver } = given
  if (resolver !== 'embedded' && layers.length === 0)
    throw new UserError(
      '--resolver is about mail servers in the lab, and none of the clients is one',
      'for example: badmx run --client postfix --policy dane --resolver unbound-modern',
    )
  if (layers.length > 0 && !insideLab()) return runInLab(resolver === 'embedded' ? layers : [...layers, RESOLVER_LAYER])
  const gateOptions = { failOn: given.failOn, strict: given.strict }
  const baseline = given.baseline === undefined ? undefined : await readRun(given.baseline)
  const { signal, release } = interruptible()
  const progress = progressLine()
  let result: RunResult
  try {
    result = await run({
      scenarios: await allScenarios(words(given.scenario, 'scenario')),
      clients,
      policies: policiesFor(given.policy, clients),
      only: words(given.only, 'only'),
      seed: numberIn(given.seed, 'seed', 0, 2 ** 32 - 1),
      timeScale: numberIn(given.timeScale, 'time-scale', 1, 1000, false),
      capture: given.capture,
      jobs: numberIn(given.jobs, 'jobs', 1, 1000),
      repeat: numberIn(given.repeat, 'repeat', 1, 1000),
      ...(given.lastFailed ? { lastFailed: await lastFailed(gateOptions) } : {}),
      ...(given.shard === undefined ? {} : { shard: shardOf(given.shard) }),
      known: await knownDeviations(given.known),
      gate: gateOptions,
      lab,
      resolver,
      ...(given.out === undefined ? {} : { out: given.out }),
      signal,
      progress: progress.step,
      again: progress.again,
    })
  } finally {
    progress.end()
    release()
  }
  const { record } = result
  const comparison = baseline === undefined ? undefined : compareRecords(baseline, record, gateOptions)
  const look = { color: wantsColor(), width: width() }
  const report = renderTerminal(record, {
    ...look,
    gate: gateOptions,
    files: result.formats,
    show: (cell) => `npx badmx show ${result.folder} ${cell.id}`,
    compared: comparison !== undefined,
  })
  const text = comparison === undefined ? report : `${report}\n${renderComparison(comparison, look)}`
  process.stdout.write(onGitHub(process.env) ? withoutCommands(text, randomBytes(16).toString('hex')) : text)
  const untold = await tellGitHub({ record, gate: gateOptions, comparison }, process.env, (line) =>
    process.stdout.write(line),
  )
  if (untold !== undefined) process.stderr.write(`badmx: ${untold}\n`)
  if (signal.aborted) return 130
  return comparison === undefined ? gate(record, gateOptions).exitCode : comparison.exitCode
}

/** @throws {UserError} where nobody but the user can know them */
function policiesFor(given: readonly (string | number)[] | undefined, clients: readonly ClientAdapter[]): Policy[] {
  if (given !== undefined) return policiesOf(words(given, 'policy'))
  const configured = clients.find(({ resolves }) => resolves === true)
  if (configured === undefined) return [...POLICIES]
  throw new UserError(
    `${configured.id} is configured by you: --policy has to say to what`,
    `for example: badmx run --client ${configured.id} --policy may`,
  )
}

/** What is said of the one mail server of the run. @throws {UserError} */
async function labOptions(given: Given, servers: number): Promise<NonNullable<RunOptions['lab']>> {
  const { root, config } = given
  if (root === undefined && config === undefined) return {}
  if (servers !== 1)
    throw new UserError(
      `--root and --config are about one mail server, and ${servers === 0 ? 'none' : servers} of the clients are one`,
      'for example: badmx run --client postfix --root DIR',
    )
  if (root !== undefined && !(await stat(root).catch(() => undefined))?.isDirectory())
    throw new UserError(`--root: there is no folder ${root}`)
  return {
    ...(root === undefined ? {} : { overlay: resolve(root) }),
    ...(config === undefined ? {} : { settings: await readText(config) }),
  }
}

/** The same command line in a lab that has these clients, which are built where they are missing. */
async function runInLab(specs: readonly LayerSpec[]): Promise<number> {
  const support = requireSupport()
  const { signal, release } = interruptible()
  const progress = buildProgress()
  const layers: Layer[] = []
  try {
    for (const spec of specs) layers.push(await ensureLayer(spec, { support, signal, progress: progress.step }))
  } catch (error) {
    if (signal.aborted) return 130
    throw error
  } finally {
    progress.end()
    release()
  }
  return enterLab(ownCommand(), { support, layers })
}

/** The cells of the latest run that failed it, or had no result. */
async function lastFailed(options: Parameters<typeof weigh>[1]): Promise<string[]> {
  const folder = await findRun('latest')
  const record = JSON.parse(await readText(`${folder}/run.json`)) as RunRecord
  const failed = record.cells.filter((cell: CellRecord) => ['finding', 'trouble'].includes(weigh(cell, options)))
  if (failed.length === 0) throw new UserError(`no cell failed in ${folder}`)
  return failed.map((cell) => cell.id)
}

function shardOf(text: string): { index: number; count: number } {
  const found = /^(\d+)\/(\d+)$/.exec(text)
  const [index, count] = [Number(found?.[1]), Number(found?.[2])]
  if (found === null || index < 1 || count < index)
    throw new UserError(`--shard: got "${text}", want INDEX/COUNT, for example 1/4`)
  return { index, count }
}
