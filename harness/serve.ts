/**
 * `badmx serve`: the zoo on loopback. Each mail host of each scenario listens at an address of its own, the same each time,
 * or one persona at an address that the user names; a line per session when it is over, its ladder on request. Of a
 * scenario with phases it is the first: what comes later follows from what its client has done, which nobody tells here.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type Authority, createAuthority } from '../peers/certificates/authority.ts'
import type { PeerEvent, ProofEvent } from '../peers/events.ts'
import { type Peer, type PeerOptions, peer } from '../peers/peer.ts'
import type { Persona } from '../peers/personas.ts'
import { provenSettings, tlsOptionsOf } from '../scenarios/host-tls.ts'
import { type Host, hostNameOf, type Scenario } from '../scenarios/scenario.ts'
import { personaOptions } from './persona-peer.ts'
import { RunFolder } from './run-folder.ts'
import type { ZooDns } from './serve-dns.ts'
import { sessionLine } from './strip.ts'
import { UserError } from './user-error.ts'

/** One mail host of the zoo. */
export interface Exhibit {
  /** A scenario's name, or a persona's id. */
  readonly name: string
  /** What it is, and which of its scenario's hosts where there are several. */
  readonly title: string
  /** The name in its certificate and its banner. */
  readonly hostName: string
  /** Of its recipients. */
  readonly domain: string
  readonly tls: 'starttls' | 'connect' | 'none'
  readonly address: string
  readonly port: number
}

export interface ServeOptions {
  readonly scenarios: readonly Scenario[]
  readonly persona?: Persona
  /** Where the persona listens. */
  readonly listen?: { readonly address: string; readonly port: number }
  /** Port of every IPv4 host; with one loopback address, the first of a row. IPv6 hosts have ports above it. */
  readonly basePort: number
  /** Only 127.0.0.1: a port each instead of an address each (macOS). */
  readonly oneAddress: boolean
  /** There is an address ::1; without it the IPv6 hosts of scenarios are left out. */
  readonly ipv6: boolean
  readonly allowRemote: boolean
  /** Where their DNS is served, if it is to be. */
  readonly dns?: { readonly address: string; readonly port: number }
  readonly timeScale: number
  readonly seed: number
  readonly out?: string
  /** Nothing more is started when it is aborted. */
  readonly signal: AbortSignal
  /** Told one line per session, when it is over. */
  readonly line: (text: string) => void
}

export interface Zoo {
  readonly exhibits: readonly Exhibit[]
  readonly folder: RunFolder
  /** File with the test CA. */
  readonly caFile: string
  readonly dns: ZooDns | undefined
  /** The events of a session that is on record, by its number. */
  session(id: string): readonly PeerEvent[]
  close(): Promise<void>
}

/** How many sessions that are over are kept for their ladders; older ones are in the event log only. */
const KEPT = 1000

/** @throws {UserError} {ListenError} when an address or port cannot be had; nothing listens then. */
export async function serve(options: ServeOptions): Promise<Zoo> {
  const plans = plansOf(options)
  const startedAt = new Date()
  const began = performance.now()
  const folder = await RunFolder.create(options.out, startedAt)
  folder.serving(startedAt)
  const sessions = new Sessions(options.line)
  const log = (event: PeerEvent): void => {
    folder.event(event)
    sessions.add(event)
    if (event.type === 'fired' && event.behaviour.startsWith('dns:')) options.line(dnsLine(event))
  }
  const common = {
    ...{ log, now: () => performance.now() - began, capture: true },
    ...{ seed: options.seed, timeScale: options.timeScale, allowRemote: options.allowRemote },
  }
  const peers: Peer[] = []
  const exhibits: Exhibit[] = []
  let dns: ZooDns | undefined
  const closePeers = async (): Promise<void> => {
    await Promise.all([dns, ...peers].map((each) => each?.close()))
  }
  try {
    const authority = createAuthority({ now: startedAt, seed: options.seed })
    await folder.write('ca.pem', authority.rootPem)
    for (const [index, { exhibit, stack, peerOptions }] of plans.entries()) {
      if (options.signal.aborted) break
      const opened = await peer(stack, {
        ...common,
        ...{ address: exhibit.address, port: exhibit.port, hostName: exhibit.hostName },
        ...(await peerOptions(authority)),
        ...{ connPrefix: `${index + 1}.`, cell: exhibit.name },
      })
      peers.push(opened)
      exhibits.push({ ...exhibit, port: opened.port })
    }
    if (options.dns !== undefined && !options.signal.aborted) {
      const { serveDns, zonesOfZoo } = await import('./serve-dns.ts')
      const hosts = exhibits.flatMap((each, at) => ({ ...each, host: plans[at]?.host }))
      const zones = await zonesOfZoo(options.scenarios, hosts, authority)
      dns = await serveDns({ ...common, at: options.dns, zones, clock: startedAt, folder })
    }
  } catch (error) {
    await closePeers()
    await folder.discard()
    throw error
  }
  // They listen: what their sessions need beyond the banner is loaded while nobody, or only the first client, waits for it.
  void Promise.all(peers.map((each) => each.ready()))
  return {
    exhibits,
    folder,
    caFile: join(folder.path, 'ca.pem'),
    dns,
    session: (id) => sessions.get(id),
    close: async () => {
      await closePeers()
      await folder.closeEvents()
    },
  }
}

/** The sessions that are under way and the last ones that are over. */
class Sessions {
  private readonly events = new Map<string, PeerEvent[]>()
  private readonly over: string[] = []
  private readonly line: ServeOptions['line']

  constructor(line: ServeOptions['line']) {
    this.line = line
  }

  get(id: string): readonly PeerEvent[] {
    return this.events.get(id) ?? []
  }

  add(event: PeerEvent): void {
    if (!('conn' in event) || event.conn === undefined) return
    const events = this.events.get(event.conn) ?? []
    if (events.length === 0) this.events.set(event.conn, events)
    events.push(event)
    if (event.type !== 'conn' || event.state !== 'closed') return
    this.line(sessionLine(events))
    this.over.push(event.conn)
    if (this.over.length > KEPT) this.events.delete(this.over.shift() ?? '')
  }
}

/** `dns:drop-queries: dropped … [dns/dns-tlsa-timeout]`; no session has it. */
function dnsLine({ behaviour, detail, cell }: ProofEvent): string {
  return `${behaviour}: ${detail}${cell === undefined ? '' : ` [${cell}]`}`
}

/** What one exhibit is made of. Its port is 0 where the system is to choose. */
interface ExhibitPlan {
  readonly exhibit: Exhibit
  readonly stack: Parameters<typeof peer>[0]
  /** Of a scenario. */
  readonly host?: { readonly id: string; readonly preference: Host['preference']; readonly certificate: string }
  peerOptions(authority: Authority): Promise<PeerOptions>
}

/** @throws {UserError} where there are not as many ports as it takes. */
function plansOf(options: ServeOptions): ExhibitPlan[] {
  if (options.persona !== undefined)
    return [personaPlan(options.persona, options.listen ?? { address: '127.0.0.1', port: options.basePort })]
  const places = new Places(options)
  return options.scenarios.flatMap((scenario) =>
    Object.entries(scenario.hosts)
      .filter(([, { address }]) => address === 'ipv4' || options.ipv6)
      .map(([id, host]) => hostPlan(scenario, id, host, places.next(scenario, id, host))),
  )
}

/** Ports that IPv6 hosts have, above the base port: there is one loopback address for all (RFC 4291 §2.5.3). */
const PORTS = 1000

/**
 * Hands out addresses and ports: from the name of a host alone, so that adding one moves no other but where two fall on the
 * same. Never 127.0.x.y, which other programs use.
 */
export class Places {
  private readonly taken = new Set<string>()
  private readonly given: Pick<ServeOptions, 'basePort' | 'oneAddress'>

  constructor(given: Pick<ServeOptions, 'basePort' | 'oneAddress'>) {
    this.given = given
  }

  /** @throws {UserError} where the port is beyond 65535. */
  next(scenario: Pick<Scenario, 'name' | 'hosts'>, id: string, { address }: Pick<Host, 'address'>): Place {
    const [first] = Object.keys(scenario.hosts)
    // Most scenarios have one host; its address is that of the scenario, whatever the host is called.
    const name = id === first ? scenario.name : `${scenario.name} ${id}`
    for (let salt = 0; ; salt++) {
      const place = this.place(salt === 0 ? name : `${name} ${salt}`, address)
      if (place.port > 65535)
        throw new UserError(
          `--base-port ${this.given.basePort}: there are not enough ports above it`,
          'take a lower one',
        )
      const key = `${place.address} ${place.port}`
      if (place.port !== 0 && this.taken.has(key)) continue
      this.taken.add(key)
      return place
    }
  }

  private place(name: string, address: Host['address']): Place {
    const { basePort, oneAddress } = this.given
    const digest = createHash('sha256').update(name).digest()
    const [a = 0, b = 0, c = 0] = digest
    if (oneAddress)
      return { address: address === 'ipv6' ? '::1' : '127.0.0.1', port: basePort && basePort + this.taken.size }
    if (address === 'ipv4') return { address: `127.${1 + (a % 254)}.${b}.${1 + (c % 254)}`, port: basePort }
    return { address: '::1', port: basePort && basePort + 1 + (digest.readUInt16BE(0) % PORTS) }
  }
}

interface Place {
  readonly address: string
  readonly port: number
}

/** A neutral label: some clients search the whole EHLO reply for keywords, the host name included. */
function domainOf(name: string): string {
  return `s${createHash('sha256').update(name).digest('hex').slice(0, 9)}.badmx.test`
}

function hostPlan(scenario: Scenario, id: string, host: Host, place: Place): ExhibitPlan {
  const domain = domainOf(scenario.name)
  const hostName = hostNameOf(id, host, domain)
  return {
    exhibit: {
      ...{ name: scenario.name, title: scenario.title + noteOn(scenario, id, host) },
      ...{ hostName, domain, tls: host.tls.on, ...place },
    },
    stack: host.stack,
    host: { id, preference: host.preference, certificate: host.certificate },
    peerOptions: async (authority) => {
      const tls = await tlsOptionsOf(host, { host: hostName, domain }, authority)
      const prove = provenSettings(scenario.family, host)
      return { extensions: host.extensions, passwords: scenario.job.password, prove, host: id, ...(tls && { tls }) }
    },
  }
}

/** Which of several hosts it is, and what of the scenario is not to be met by hand. */
function noteOn({ hosts, phases }: Scenario, id: string, { preference }: Host): string {
  const notes = [
    ...(Object.keys(hosts).length === 1
      ? []
      : [preference === 'none' ? `${id}, without MX` : `${id}, MX ${preference}`]),
    ...(Object.keys(phases).length === 0 ? [] : [`before "${Object.keys(phases)[0]}"`]),
  ]
  return notes.length === 0 ? '' : ` (${notes.join('; ')})`
}

function personaPlan(persona: Persona, place: Place): ExhibitPlan {
  const domain = domainOf(persona.id)
  const hostName = `mx.${domain}`
  return {
    exhibit: { ...{ name: persona.id, title: persona.title, hostName, domain, tls: persona.tls.on }, ...place },
    stack: persona.stack,
    peerOptions: (authority) => personaOptions(persona, hostName, authority),
  }
}
