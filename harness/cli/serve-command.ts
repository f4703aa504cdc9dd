/** `badmx serve`: the zoo, or one persona, for clients that are started by hand. */
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { createInterface } from 'node:readline'
import type { Argv } from 'yargs'
import { ListenError } from '../../peers/listener.ts'
import type { Scenario } from '../../scenarios/scenario.ts'
import { interruptible } from '../interrupt.ts'
import { type Exhibit, type ServeOptions, serve, type Zoo } from '../serve.ts'
import type { ZooDns } from '../serve-dns.ts'
import { UserError } from '../user-error.ts'
import { columns } from './columns.ts'
import type { Command, Done } from './commands.ts'
import { endpoint, numberIn, personaOf, wantsColor, width, words } from './options.ts'

interface Given {
  readonly only?: string[]
  readonly scenario?: string[]
  readonly persona?: string
  readonly listen?: string
  readonly basePort: number
  readonly allowRemote: boolean
  readonly oneAddress: boolean
  readonly dns?: string
  readonly timeScale: number
  readonly seed: number
  readonly out?: string
}

export function serveCommand(done: Done): Command {
  return {
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
          describe: 'one known product instead (ID or ID:option=true); see `badmx list --personas`',
        })
        .option('listen', { string: true, requiresArg: true, describe: 'with --persona: HOST:PORT' })
        .option('base-port', {
          number: true,
          requiresArg: true,
          default: 2525,
          describe: 'the port of every mail host',
        })
        .option('one-address', {
          boolean: true,
          default: process.platform !== 'linux',
          describe: 'a port each on 127.0.0.1, from --base-port on, instead of an address each',
        })
        .option('dns', {
          string: true,
          requiresArg: true,
          describe:
            'ADDRESS:PORT of their signed DNS, UDP and TCP: validating resolver and name servers in one (RD says which)',
        })
        .option('allow-remote', { boolean: true, default: false, describe: 'listen beyond loopback' })
        .option('time-scale', { number: true, requiresArg: true, default: 1, describe: 'divide delays by this' })
        .option('seed', {
          number: true,
          requiresArg: true,
          default: 1,
          describe: 'for seeded behaviours and keys of DNS',
        })
        .option('out', {
          string: true,
          requiresArg: true,
          describe: 'folder for the event log, the test CA, trust anchors, unbound.conf (default badmx-out/<time>)',
        })
        .example('$0 serve', 'every scenario; then: swaks --server 127.x.y.z:2525 …')
        .example('$0 serve --persona cisco-pix --listen 127.0.0.1:2525', 'one product')
        .example('$0 serve --dns 127.0.0.1:5300 --out zoo', 'their DNS too; then: unbound -d -c zoo/unbound.conf')
        .epilogue(
          'DNS on one port: `dig`, an MTA (`--dns 127.0.0.1:53 --base-port 25` and resolv.conf with "options trust-ad"), or a resolver that forwards there (unbound.conf has it so) are answered by a validating resolver, or with CD set by what it has not checked. Iterative queries are answered by the name servers. unbound with stub-zone does not do: one silent fault spoils the one address for all zones.',
        ) as unknown as Argv<object>,
    handler: async (given) => done(await handle(given as unknown as Given)),
  }
}

async function handle(given: Given): Promise<number> {
  if (given.persona === undefined && given.listen !== undefined)
    throw new UserError('--listen goes with --persona', '--base-port and --only are for the zoo')
  if (given.persona !== undefined && (given.only !== undefined || given.scenario !== undefined))
    throw new UserError('--persona is served alone, without scenarios', 'leave --only and --scenario out')
  if (given.persona !== undefined && given.dns !== undefined)
    throw new UserError('--dns is about scenarios, and a persona has none', 'leave --persona or --dns out')
  const dns = given.dns === undefined ? undefined : dnsEndpoint(given.dns)
  const { signal, release } = interruptible()
  try {
    const zoo = await opened(given, dns, signal)
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

async function opened(given: Given, dns: ServeOptions['dns'], signal: AbortSignal): Promise<Zoo> {
  const persona = given.persona === undefined ? undefined : await personaOf(given.persona)
  const scenarios = persona === undefined ? await chosen(given) : []
  const ipv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))
  if (!ipv6 && scenarios.some(({ hosts }) => Object.values(hosts).some(({ address }) => address === 'ipv6')))
    process.stderr.write('badmx: this machine has no address ::1; hosts of scenarios with IPv6 are left out\n')
  try {
    return await serve({
      scenarios,
      ...(persona === undefined ? {} : { persona }),
      ...(given.listen === undefined ? {} : { listen: endpoint(given.listen, '--listen') }),
      ...(dns === undefined ? {} : { dns }),
      basePort: numberIn(given.basePort, 'base-port', 0, 65535),
      oneAddress: given.oneAddress,
      ipv6,
      allowRemote: given.allowRemote,
      timeScale: numberIn(given.timeScale, 'time-scale', 1, 1000, false),
      seed: numberIn(given.seed, 'seed', 0, 2 ** 32 - 1),
      ...(given.out === undefined ? {} : { out: given.out }),
      signal,
      line: (text) => process.stdout.write(`${text}\n`),
    })
  } catch (error) {
    if (!(error instanceof ListenError && error.code === 'port-in-use')) throw error
    const option = error.message.startsWith(`${dns?.address} port ${dns?.port} `) ? '--dns' : undefined
    throw new UserError(
      error.message,
      `${option ?? (given.listen === undefined ? '--base-port' : '--listen')} says which`,
    )
  }
}

/** @throws {UserError} for what is no ADDRESS:PORT: answers name the address, so that it is to be one. */
function dnsEndpoint(text: string): { address: string; port: number } {
  const found = endpoint(text, '--dns')
  if (isIP(found.address) === 0 || /^(0\.0\.0\.0|[0:]+)$/.test(found.address))
    throw new UserError(`--dns: got "${text}", want ADDRESS:PORT with an IP address, for example 127.0.0.1:5300`)
  return found
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
function opening({ exhibits, caFile, folder, dns }: Zoo): string {
  const [first] = exhibits
  if (first === undefined) return ''
  return [
    ...columns([
      ['address', 'host name', 'what', ''],
      ...exhibits.map((exhibit) => [placeOf(exhibit), exhibit.hostName, exhibit.name, exhibit.title]),
    ]),
    '',
    `For example, ${first.name}:`,
    ...commandsFor(first, caFile).map((line) => `  ${line}`),
    ...(dns === undefined ? [] : ['', ...dnsLines(dns, first)]),
    '',
    `The test CA is ${caFile}. A line per session follows; its first word and Enter show its ladder.`,
    `Ctrl-C ends it; then \`badmx show ${folder.path}\` tells the sessions again.`,
    '',
  ].join('\n')
}

/** Where DNS is, and what to ask it of the first exhibit. */
function dnsLines({ at, files, unboundAt }: ZooDns, { hostName, domain, port }: Exhibit): string[] {
  const tlsa = `_${port}._tcp.${hostName} TLSA`
  return [
    `DNS is at ${placeOf(at)}, UDP and TCP: a validating resolver, and to iterative queries the name servers. For example:`,
    `  dig @${at.address} -p ${at.port} +dnssec ${domain} MX`,
    `  delv @${at.address} -p ${at.port} -a ${files.bindAnchor} +root=. ${tlsa}`,
    `  unbound -d -c ${files.unbound}    # at ${placeOf(unboundAt)}; its trust anchor is ${files.anchor}`,
  ]
}

function placeOf({ address, port }: Pick<Exhibit, 'address' | 'port'>): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}

const SWAKS: Readonly<Record<Exhibit['tls'], string>> = {
  starttls: ' --tls --tls-verify --tls-ca-path',
  connect: ' --tls-on-connect --tls-verify --tls-ca-path',
  none: '',
}

function commandsFor(exhibit: Exhibit, caFile: string): string[] {
  const { address, port, hostName, domain, tls } = exhibit
  const place = placeOf(exhibit)
  const swaks = `swaks --server ${address} --port ${port}${SWAKS[tls]}${tls === 'none' ? '' : ` ${caFile}`} --helo client.badmx.test --from a@client.badmx.test --to b@${domain}`
  if (tls === 'none') return [swaks]
  return [
    swaks,
    `openssl s_client${tls === 'connect' ? '' : ' -starttls smtp'} -connect ${place} -servername ${hostName} -verify_hostname ${hostName} -CAfile ${caFile}`,
    `posttls-finger -c${tls === 'connect' ? ' -w' : ''} -l secure -F ${caFile} '[${address}]:${port}' ${hostName}`,
  ]
}

/** The number of a session, the first word of its line, on a line of its own asks for its ladder. */
function listenForRequests(zoo: Zoo): { close(): void } {
  const lines = createInterface({ input: process.stdin })
  lines.on('line', async (line) => {
    const id = line.trim()
    if (id === '') return
    const events = zoo.session(id)
    const { sessionLadder } = await import('../session-ladder.ts')
    if (events.length === 0) process.stderr.write(`badmx: there is no session "${id}" among the last ones\n`)
    else process.stdout.write(`${sessionLadder(events, { color: wantsColor(), width: width() })}\n`)
  })
  return lines
}
