/** `badmx serve`: the zoo, or one persona, for clients that are started by hand. */
import { createInterface } from 'node:readline'
import type { Argv, CommandModule } from 'yargs'
import type { Scenario } from '../../scenarios/scenario.ts'
import { interruptible } from '../interrupt.ts'
import { type Exhibit, serve, type Zoo } from '../serve.ts'
import { columns } from './columns.ts'
import { endpoint, numberIn, personaOf, wantsColor, width, words } from './options.ts'

interface Given {
  readonly only?: string[]
  readonly scenario?: string[]
  readonly persona?: string
  readonly listen?: string
  readonly basePort: number
  readonly allowRemote: boolean
  readonly oneAddress: boolean
  readonly timeScale: number
  readonly seed: number
  readonly out?: string
}

export function serveCommand(done: (exitCode: number) => void): CommandModule<object, object> {
  return {
    command: 'serve',
    describe: 'the whole zoo on loopback, each scenario at an address of its own; or one persona',
    builder: (yargs: Argv) =>
      yargs
        .option('only', {
          array: true,
          string: true,
          requiresArg: true,
          describe: 'ids, families, globs (strip/strip-reply-*)',
        })
        .option('scenario', {
          array: true,
          string: true,
          requiresArg: true,
          describe: 'your own scenario files, beside the catalogue',
        })
        .option('persona', {
          string: true,
          requiresArg: true,
          describe: 'one known product instead; see `badmx list --personas`',
        })
        .option('listen', { string: true, requiresArg: true, describe: 'with --persona: HOST:PORT' })
        .option('base-port', { number: true, requiresArg: true, default: 2525, describe: 'the port of every scenario' })
        .option('one-address', {
          boolean: true,
          default: process.platform !== 'linux',
          describe: 'a port each on 127.0.0.1, from --base-port on, instead of an address each',
        })
        .option('allow-remote', { boolean: true, default: false, describe: 'listen beyond loopback' })
        .option('time-scale', { number: true, requiresArg: true, default: 1, describe: 'divide delays by this' })
        .option('seed', { number: true, requiresArg: true, default: 1, describe: 'for seeded behaviours' })
        .option('out', {
          string: true,
          requiresArg: true,
          describe: 'folder for the event log (default badmx-out/<time>)',
        })
        .example('$0 serve', 'every scenario; then: swaks --server 127.x.y.z:2525 …')
        .example('$0 serve --persona cisco-pix --listen 127.0.0.1:2525', 'one product') as unknown as Argv<object>,
    handler: async (given) => done(await handle(given as unknown as Given)),
  }
}

async function handle(given: Given): Promise<number> {
  const persona = given.persona === undefined ? undefined : await personaOf(given.persona)
  const scenarios = persona === undefined ? await chosen(given) : []
  const { signal, release } = interruptible()
  try {
    const zoo = await serve({
      scenarios,
      ...(persona === undefined ? {} : { persona }),
      ...(given.listen === undefined ? {} : { listen: endpoint(given.listen, '--listen') }),
      basePort: numberIn(given.basePort, 'base-port', 0, 65535),
      oneAddress: given.oneAddress,
      allowRemote: given.allowRemote,
      timeScale: numberIn(given.timeScale, 'time-scale', 1, 1000, false),
      seed: numberIn(given.seed, 'seed', 0, 2 ** 32 - 1),
      ...(given.out === undefined ? {} : { out: given.out }),
      line: (text) => process.stdout.write(`${text}\n`),
    })
    process.stdout.write(opening(zoo))
    const asking = listenForRequests(zoo)
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    asking.close()
    await zoo.close()
    return 0
  } finally {
    release()
  }
}

/** The catalogue is loaded only where it is served: a persona alone starts without it. */
async function chosen({ scenario, only }: Given): Promise<readonly Scenario[]> {
  const [{ allScenarios }, { select }, { loadWaiting }] = await Promise.all([
    import('../catalogue.ts'),
    import('../../scenarios/select.ts'),
    import('../../scenarios/waiting.ts'),
  ])
  return select(await allScenarios(words(scenario, 'scenario')), words(only, 'only'), (await loadWaiting()).waiting)
}

/** The table to start from, and commands to copy. */
function opening({ exhibits, caFile, folder }: Zoo): string {
  const table = columns(exhibits.map(({ address, port, name, title }) => [`${address}:${port}`, name, title]))
  const [first] = exhibits
  const commands = first === undefined ? [] : commandsFor(first, caFile)
  return [
    ...table,
    '',
    'For example:',
    ...commands.map((line) => `  ${line}`),
    '',
    `The test CA is ${caFile}, the events go to ${folder.path}. A line per session follows; its number and Enter show its`,
    'ladder. Ctrl-C ends it.',
    '',
  ].join('\n')
}

function commandsFor({ address, port, hostName }: Exhibit, caFile: string): string[] {
  return [
    `swaks --server ${address}:${port} --tls --from a@client.badmx.test --to b@${hostName.slice(3)}`,
    `openssl s_client -starttls smtp -connect ${address}:${port} -servername ${hostName} -verify_hostname ${hostName} -CAfile ${caFile}`,
    `posttls-finger -c -l encrypt -F ${caFile} '[${address}]:${port}'`,
  ]
}

/** A session's number on a line of its own asks for its ladder. */
function listenForRequests(zoo: Zoo): { close(): void } {
  const lines = createInterface({ input: process.stdin })
  lines.on('line', async (line) => {
    const id = line.trim()
    if (id === '') return
    const events = zoo.session(id)
    const { sessionLadder } = await import('../session-ladder.ts')
    if (events.length === 0) process.stderr.write(`badmx: there is no session "${id}" among the last ones\n`)
    else
      process.stdout.write(`${sessionLadder(events, events[0]?.cell ?? id, { color: wantsColor(), width: width() })}\n`)
  })
  return lines
}
