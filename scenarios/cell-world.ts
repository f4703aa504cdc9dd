/**
 * The hosts of a cell: their peers, from the first phase of the world to the last.
 *
 * What always holds: after `close` none of them listens, also where `open` has failed half-way.
 */
import { X509Certificate } from 'node:crypto'
import type { IssuedChain } from '../peers/certificates/authority.ts'
import { type Peer, type PeerOptions, peer } from '../peers/peer.ts'
import { seeded } from '../peers/random.ts'
import type { MailHost } from './client.ts'
import type { CellBegun } from './events.ts'
import { provenSettings, tlsOptionsOf } from './host-tls.ts'
import type { Place } from './internet.ts'
import { pause } from './pause.ts'
import type { PlannedCell } from './plan.ts'
import { publishedTlsa } from './published-tlsa.ts'
import { present, type RunRequest } from './run-request.ts'
import type { Host, World } from './scenario.ts'
import { type PublishedTlsa, tlsaFacts, zonesOf } from './zones.ts'

/** A scenario that waits for its certificate to expire has one that does soon; milliseconds. */
const LONGEST_WAIT_MS = 60_000
/** How long connections may outlive the client's word before they are ended, in milliseconds. */
const LINGER_MS = 500
/** As Node takes them (tls, ticketKeys). */
const TICKET_KEY_OCTETS = 48

export class CellWorld {
  private readonly cell: PlannedCell
  private readonly request: RunRequest
  private readonly peers = new Map<string, Peer>()
  /** Of each host, once {@link facts} were told. */
  private readonly tlsa = new Map<string, readonly PublishedTlsa[]>()
  private hosts: World

  constructor(cell: PlannedCell, request: RunRequest) {
    this.cell = cell
    this.request = request
    this.hosts = cell.scenario.hosts
  }

  /**
   * What the event log tells of the hosts. Where there is DNS, their TLSA records are made first.
   *
   * @param hosts of which phase
   */
  async facts(hosts: World = this.hosts): Promise<CellBegun['hosts']> {
    const facts = factsOf(hosts)
    if (this.request.internet === undefined || this.cell.unsupported !== undefined) return facts
    const { domain, scenario } = this.cell
    const told = Object.entries(facts).map(async ([id, each]) => {
      const host = scenario.hosts[id]
      const tlsa = this.tlsa.get(id) ?? (host === undefined ? [] : await this.published(id, host))
      this.tlsa.set(id, tlsa)
      return [id, { ...each, tlsa: tlsaFacts(scenario.dns, domain, this.nameOf(id), tlsa) }] as const
    })
    return Object.fromEntries(await Promise.all(told))
  }

  /** Opens every host of the first phase. */
  async open(): Promise<void> {
    for (const [id, host] of Object.entries(this.hosts)) this.peers.set(id, await this.openHost(id, host))
    this.publish()
  }

  /** As DNS tells them, the first one first. */
  mailHosts(): readonly MailHost[] {
    return [...this.peers].map(([id, { address, port }]) => {
      const preference = this.hosts[id]?.preference
      return {
        name: this.nameOf(id),
        ...(typeof preference === 'number' ? { preference } : {}),
        address,
        port,
      }
    })
  }

  async enter(phase: string): Promise<void> {
    const { cell, request } = this
    const next = cell.scenario.phases[phase]
    if (next === undefined) throw new Error(`the scenario has no phase "${phase}"`)
    for (const [id, host] of Object.entries(next)) {
      const tls = await this.tlsOf(id, host)
      await this.peers.get(id)?.change(host.stack, { ...tls, extensions: host.extensions })
    }
    this.hosts = next
    this.publish()
    request.log({ type: 'phase', t: request.now(), cell: cell.id, phase, hosts: await this.facts(next) })
  }

  /** Resolves when the leaf of every host has expired (RFC 5280 §4.1.2.5: its last second counts), or the run is interrupted. */
  async expired(): Promise<void> {
    const ends = await Promise.all(
      Object.entries(this.cell.scenario.hosts).map(async ([id, host]) => {
        const [leaf] = (await this.certificateOf(id, host)).chain
        return leaf === undefined ? 0 : Date.parse(new X509Certificate(leaf).validTo) + 1000
      }),
    )
    const waitMs = Math.max(...ends) - present(this.request).getTime()
    if (waitMs > LONGEST_WAIT_MS) throw new Error(`the certificate expires in ${Math.round(waitMs / 1000)} s, not soon`)
    await pause(Math.ceil(waitMs), this.request.signal)
  }

  /** The client has spoken; its connections are given a moment to end by themselves, so that their end is on record. */
  async linger(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LINGER_MS)
    })
    await Promise.race([Promise.all([...this.peers.values()].map((each) => each.idle())), patience])
    clearTimeout(timer)
  }

  async close(): Promise<void> {
    await Promise.all([...this.peers.values()].map((each) => each.close()))
  }

  private publish(): void {
    const { id, domain, scenario } = this.cell
    const { internet } = this.request
    if (internet === undefined) return
    const tlsa = [...this.peers.keys()].map((host) => this.tlsa.get(host) ?? [])
    const hosts = this.mailHosts().map((host, at) => ({ ...host, tlsa: tlsa[at] ?? [] }))
    internet.publish(zonesOf(scenario.dns, domain, hosts, id))
  }

  private published(id: string, host: Host): Promise<readonly PublishedTlsa[]> {
    const { cell, request } = this
    const names = { host: this.nameOf(id), domain: cell.domain }
    return publishedTlsa(cell.scenario.dns.tlsa[id], host, names, request.issuer, present(request))
  }

  private nameOf(id: string): string {
    return this.cell.hostNames[id] ?? id
  }

  private async openHost(id: string, host: Host): Promise<Peer> {
    const { cell, request } = this
    const place: Partial<Place> =
      request.internet?.place?.(host.address, cell.judgedAs === 'implicit' ? 465 : 25) ??
      (host.address === 'ipv6' ? { address: '::1' } : {})
    const opened = await peer(host.stack, {
      ...place,
      ...(await this.tlsOf(id, host)),
      hostName: this.nameOf(id),
      host: id,
      cell: cell.id,
      connPrefix: `${cell.id}:${cell.alone === true ? 'alone:' : ''}`,
      log: request.log,
      now: request.now,
      canaries: cell.canaries,
      capture: this.request.capture ?? false,
      seed: request.plan.seed,
      timeScale: request.plan.timeScale,
      extensions: host.extensions,
      passwords: cell.credentials,
    })
    // A client that is judged waits for nothing but what its peer is told to do.
    await opened.ready()
    return opened
  }

  private certificateOf(id: string, host: Host): Promise<IssuedChain> {
    const names = { host: this.nameOf(id), domain: this.cell.domain }
    return this.request.issuer.issue(host.certificate, names, present(this.request))
  }

  private async tlsOf(id: string, host: Host): Promise<Pick<PeerOptions, 'tls' | 'prove'>> {
    const { cell, request } = this
    const prove = provenSettings(cell.scenario.family, host)
    const names = { host: this.nameOf(id), domain: cell.domain }
    const tls = await tlsOptionsOf(host, names, request.issuer, present(request))
    if (tls === undefined) return { prove }
    const tickets = host.tls.sharedTickets ? { ticketKeys: ticketKeysOf(request.plan.seed, cell.id) } : {}
    return { prove, tls: { ...tls, ...tickets, ...(cell.judgedAs === 'implicit' ? { on: 'connect' } : {}) } }
  }
}

/** The same for all hosts of a cell, and for no other cell. */
function ticketKeysOf(seed: number, cell: string): Buffer {
  const draw = seeded(seed, 'ticket keys', cell)
  return Buffer.from(Array.from({ length: TICKET_KEY_OCTETS }, () => Math.floor(draw() * 256)))
}

/** What the event log tells of the hosts. */
export function factsOf(world: World): CellBegun['hosts'] {
  return Object.fromEntries(Object.entries(world).map(([id, { preference, tls }]) => [id, { preference, tls: tls.on }]))
}
