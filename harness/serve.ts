/**
 * `badmx serve`: the zoo on loopback. Each scenario listens at an address of its own, the same each time, or one persona at
 * an address that the user names; a line per session as it happens, its ladder on request.
 */
import { createHash } from 'node:crypto'
import { type Authority, createAuthority } from '../peers/certificates/authority.ts'
import type { PeerEvent } from '../peers/events.ts'
import { ListenError } from '../peers/listener.ts'
import { type Peer, type PeerOptions, peer } from '../peers/peer.ts'
import type { Persona } from '../peers/personas.ts'
import type { LogEvent } from '../scenarios/events.ts'
import { provenSettings, tlsOptionsOf } from '../scenarios/host-tls.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import { personaOptions } from './persona-peer.ts'
import { RunFolder } from './run-folder.ts'
import { sessionLine } from './strip.ts'

/** One exhibit of the zoo. */
export interface Exhibit {
  /** A scenario's name, or a persona's id. */
  readonly name: string
  readonly title: string
  /** The name in its certificate and its banner. */
  readonly hostName: string
  readonly address: string
  readonly port: number
}

export interface ServeOptions {
  readonly scenarios: readonly Scenario[]
  readonly persona?: Persona
  /** Where the persona listens. */
  readonly listen?: { readonly address: string; readonly port: number }
  /** Port of every scenario; with one loopback address, the first of a row. */
  readonly basePort: number
  /** Only 127.0.0.1: a port each instead of an address each (macOS). */
  readonly oneAddress: boolean
  readonly allowRemote: boolean
  readonly timeScale: number
  readonly seed: number
  readonly out?: string
  /** Told one line per session, when it is over. */
  readonly line: (text: string) => void
}

export interface Zoo {
  readonly exhibits: readonly Exhibit[]
  readonly folder: RunFolder
  /** File with the test CA. */
  readonly caFile: string
  /** The events of a session that is on record, by its number. */
  session(id: string): readonly LogEvent[]
  close(): Promise<void>
}

/** How many sessions are kept for their ladders; older ones are in the event log only. */
const KEPT = 1000

/** @throws {UserError} {ListenError} when an address or port cannot be had; nothing listens then. */
export async function serve(options: ServeOptions): Promise<Zoo> {
  const startedAt = new Date()
  const folder = await RunFolder.create(options.out, startedAt)
  const authority = await createAuthority({ now: startedAt, seed: options.seed })
  await folder.write('ca.pem', authority.rootPem)
  const sessions = new Map<string, LogEvent[]>()
  const log = (event: PeerEvent): void => {
    folder.event(event)
    if (!('conn' in event) || event.conn === undefined) return
    const events = sessions.get(event.conn) ?? []
    if (events.length === 0) sessions.set(event.conn, events)
    events.push(event)
    if (event.type !== 'conn' || event.state !== 'closed') return
    options.line(`${sessionLine(events as readonly PeerEvent[])} [${event.cell ?? ''}]`)
    for (const oldest of sessions.keys()) {
      if (sessions.size <= KEPT) break
      sessions.delete(oldest)
    }
  }
  const began = performance.now()
  const now = (): number => performance.now() - began
  const peers: Peer[] = []
  const exhibits: Exhibit[] = []
  const close = async (): Promise<void> => {
    await Promise.all(peers.map((each) => each.close()))
    await folder.closeEvents()
  }
  try {
    for (const [index, plan] of plansOf(options).entries()) {
      const { stack, ...place } = plan
      const common = { log, now, seed: options.seed, timeScale: options.timeScale, allowRemote: options.allowRemote }
      const opened = await peer(stack, {
        ...common,
        ...place.at,
        ...(await place.options(authority)),
        connPrefix: `${index + 1}.`,
        cell: place.name,
      })
      peers.push(opened)
      exhibits.push({
        name: place.name,
        title: place.title,
        hostName: place.hostName,
        address: opened.address,
        port: opened.port,
      })
    }
  } catch (error) {
    await close()
    throw error instanceof ListenError && error.code === 'port-in-use'
      ? new ListenError('port-in-use', `${error.message} (--base-port)`)
      : error
  }
  return { exhibits, folder, caFile: `${folder.path}/ca.pem`, session: (id) => sessions.get(id) ?? [], close }
}

/** What one exhibit is made of. */
interface ExhibitPlan {
  readonly name: string
  readonly title: string
  readonly hostName: string
  readonly at: { readonly address: string; readonly port: number }
  readonly stack: Parameters<typeof peer>[0]
  options(authority: Authority): Promise<PeerOptions>
}

function plansOf(options: ServeOptions): ExhibitPlan[] {
  if (options.persona !== undefined)
    return [personaPlan(options.persona, options.listen ?? { address: '127.0.0.1', port: options.basePort })]
  const taken = new Set<string>()
  return options.scenarios.map((scenario, index) =>
    scenarioPlan(
      scenario,
      options.oneAddress
        ? { address: '127.0.0.1', port: options.basePort + index }
        : { address: addressFor(scenario.name, taken), port: options.basePort },
    ),
  )
}

/**
 * The loopback address of a scenario: from its name alone, so that adding one moves no other but where two fall on the same
 * address. Never 127.0.x.y, which other programs use.
 */
export function addressFor(name: string, taken: Set<string>): string {
  for (let salt = 0; ; salt++) {
    const digest = createHash('sha256')
      .update(salt === 0 ? name : `${name} ${salt}`)
      .digest()
    const [a = 0, b = 0, c = 0] = digest
    const address = `127.${1 + (a % 254)}.${b}.${1 + (c % 254)}`
    if (taken.has(address)) continue
    taken.add(address)
    return address
  }
}

/** A neutral label: some clients search the whole EHLO reply for keywords, the host name included. */
function hostNameOf(name: string): string {
  return `mx.s${createHash('sha256').update(name).digest('hex').slice(0, 9)}.badmx.test`
}

function scenarioPlan(scenario: Scenario, at: ExhibitPlan['at']): ExhibitPlan {
  const hostName = hostNameOf(scenario.name)
  const [host] = Object.values(scenario.hosts)
  if (host === undefined) throw new Error(`${scenario.name} has no host`)
  const names = { host: hostName, domain: hostName.slice(3) }
  return {
    name: scenario.name,
    title: scenario.title,
    hostName,
    at,
    stack: host.stack,
    options: async (authority) => {
      const tls = await tlsOptionsOf(host, names, authority)
      const prove = provenSettings(scenario.family, host)
      const given = { hostName, extensions: host.extensions, passwords: scenario.job.password, prove }
      return tls === undefined ? given : { ...given, tls }
    },
  }
}

function personaPlan(persona: Persona, at: ExhibitPlan['at']): ExhibitPlan {
  const hostName = hostNameOf(persona.id)
  return {
    name: persona.id,
    title: persona.title,
    hostName,
    at,
    stack: persona.stack,
    options: (authority) => personaOptions(persona, hostName, authority),
  }
}
