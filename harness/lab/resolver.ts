/**
 * The resolver of a lab that is not ours: real unbound, from a layer like any client, at an address of its own. Clients ask
 * a relay, so that what they said to each other is in the event log; and unbound's word on an answer that failed goes to the
 * log of the cell that it is about.
 */
import { join } from 'node:path'
import type { Internet } from '../../peers/dns/internet.ts'
import { parseName } from '../../peers/dns/name.ts'
import { TYPE } from '../../peers/dns/numbers.ts'
import { openRelay } from '../../peers/dns/relay.ts'
import { anchorFile } from '../../peers/dns/trust-anchor.ts'
import { hintsFile, type UnboundOptions, unboundConfiguration } from '../../peers/dns/unbound-configuration.ts'
import type { LogEvent } from '../../scenarios/events.ts'
import { UserError } from '../user-error.ts'
import { labContents } from './enter.ts'
import type { Layer } from './layer.ts'
import { LAB_NETWORK } from './network.ts'
import { layerName, layerSpec } from './packages.ts'
import { type ClientRoot, openRoot } from './root.ts'

type Settings = Pick<UnboundOptions, 'profile' | 'timing'>

/** `badmx run --resolver`: `embedded` is our own. */
export const RESOLVERS = {
  embedded: undefined,
  'unbound-classic': { profile: 'classic', timing: 'fast' },
  'unbound-classic-realistic': { profile: 'classic', timing: 'realistic' },
  'unbound-modern': { profile: 'modern', timing: 'fast' },
  'unbound-modern-realistic': { profile: 'modern', timing: 'realistic' },
} as const satisfies Readonly<Record<string, Settings | undefined>>

export type ResolverName = keyof typeof RESOLVERS

/** What a lab with such a resolver is made of. */
export const RESOLVER_LAYER = layerSpec('unbound')

/** Where unbound itself listens: beside the address that clients ask. */
const UNBOUND = { address: '198.18.0.54', port: 53 }

/** Inside a lab: the layer. @throws {Error} where the lab was entered without it */
export function resolverLayer(): Layer {
  const found = labContents().layers.find(({ spec }) => layerName(spec) === layerName(RESOLVER_LAYER))
  if (found === undefined) throw new Error(`the lab has no ${layerName(RESOLVER_LAYER)}`)
  return found
}

export interface LabResolverOptions {
  readonly internet: Internet
  readonly settings: Settings
  readonly log: (event: LogEvent) => void
  /** Milliseconds since the run began. */
  readonly now: () => number
}

export interface LabResolver {
  close(): Promise<void>
}

/**
 * Resolves when it answers. The name servers listen on port 53 already.
 *
 * @throws {UserError} with what unbound said, where it does not start; {ListenError} when something else listens.
 */
export async function startUnbound({ internet, settings, log, now }: LabResolverOptions): Promise<LabResolver> {
  const root = await openRoot(resolverLayer(), { resolvers: [] })
  try {
    const [anchor, hints, configuration] = ['root.anchor', 'root.hints', 'unbound.conf'].map((name) =>
      join('/etc/badmx', name),
    ) as [string, string, string]
    await root.write(anchor, anchorFile(internet))
    await root.write(hints, hintsFile(internet))
    const text = unboundConfiguration({ internet, listen: [UNBOUND], anchor, hints, ...settings })
    await root.write(configuration, text)
    await begin(root, configuration, (line) => {
      const cell = cellOf(internet, line)
      if (cell !== undefined) log({ type: 'resolver-log', t: now(), cell, line })
    })
    const at = { address: LAB_NETWORK.resolver4, port: 53 }
    const relay = await openRelay({ at, resolver: UNBOUND, internet, log, now, allowRemote: true })
    return {
      close: async () => {
        await relay.close()
        await root.close()
      },
    }
  } catch (error) {
    await root.close()
    throw error
  }
}

/** Resolves when unbound says that it has started; the lines after that are told. */
async function begin(root: ClientRoot, configuration: string, said: (line: string) => void): Promise<void> {
  const child = root.spawn(['unbound', '-d', '-c', configuration], { stdio: ['ignore', 'ignore', 'pipe'] })
  const before: string[] = []
  let rest = ''
  await new Promise<void>((resolve, reject) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        before.push(line)
        said(line)
        if (line.includes('start of service')) resolve()
      }
    })
    const fail = (why: string): void => {
      const words = [why, ...before].join('\n')
      reject(new UserError(`unbound does not start: ${words}`, undefined, 3))
    }
    child.once('error', (error) => fail(error.message)).once('close', (code) => fail(`exit code ${code}`))
  })
}

/** Unbound names the question: `info: validation failure <_25._tcp.mx.example. TLSA IN>: nodata proof failed from …`. */
function cellOf(internet: Internet, line: string): string | undefined {
  const [, name] = /(?:validation failure|SERVFAIL) <(\S+) \S+ IN>/.exec(line) ?? []
  if (name === undefined) return undefined
  return internet.zoneFor({ name: parseName(name), type: TYPE.SOA })?.zone.cell
}
