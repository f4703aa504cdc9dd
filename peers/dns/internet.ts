/**
 * A whole small internet: zones below a root, and the name servers that have them. It can be changed while it runs;
 * whoever serves it sees the new zones with the next query.
 */
import { loadDnsFaults } from './faults.ts'
import type { Question } from './message.ts'
import { canonical, type Name, parentOf, ROOT } from './name.ts'
import { TYPE } from './numbers.ts'
import { ServedZone, type ZoneContext } from './served-zone.ts'
import { addressOf, type NameServer, type Zone, zone } from './zone.ts'

/** Its address is the first usable one of RFC 2544's. */
const NAME_SERVER: NameServer = { name: 'ns.test', address: '198.18.0.1' }

/** Signatures hold from so long before the clock of the internet… */
const BEFORE_MS = 24 * 3600 * 1000
/** … until so long after: a queue's life on a fast clock fits in. */
const AFTER_MS = 60 * 24 * 3600 * 1000

export interface InternetOptions {
  /** Keys are made of it: the same seed, the same trust anchor. Default 0. */
  readonly seed?: number
  /** Has every zone that names none of its own; default `ns.test` at 198.18.0.1. */
  readonly nameServer?: NameServer
  /** Signatures are dated relative to it; default now. */
  readonly clock?: Date
}

export class Internet {
  private readonly context: ZoneContext
  private readonly served = new Map<Name, ServedZone>()
  /** The same by the address of their name servers. */
  private readonly atAddress = new Map<string, Map<Name, ServedZone>>()
  private readonly watchers = new Set<(zone: ServedZone) => void>()

  private constructor(context: ZoneContext) {
    this.context = context
  }

  /**
   * The zones, and a root and `test` where they have none.
   *
   * @throws {FaultError} on a fault that is unknown or cannot take its parameters; {ZoneError} on an address that is none.
   */
  static async create(zones: Iterable<Zone> = [], options: InternetOptions = {}): Promise<Internet> {
    const { seed = 0, clock = new Date(), nameServer = NAME_SERVER } = options
    const seconds = (offset: number): number => Math.floor((clock.getTime() + offset) / 1000)
    const validity = { inception: seconds(-BEFORE_MS), expiration: seconds(AFTER_MS) }
    const fallback = { ...nameServer, address: addressOf(nameServer.name, nameServer.address) }
    const internet = new Internet({ fallback, faults: await loadDnsFaults(), seed, validity })
    for (const each of [zone('.', []), zone('test', []), ...zones]) internet.put(each)
    return internet
  }

  /** Adds a zone, or takes the place of the one with its origin. @throws {FaultError} and nothing has changed. */
  put(each: Zone): void {
    const fresh = new ServedZone(each, this.context)
    const old = this.served.get(fresh.apex)
    if (old !== undefined) this.leaveServers(old)
    this.served.set(fresh.apex, fresh)
    for (const address of fresh.servers.flatMap(addressesOf)) {
      const zones = this.atAddress.get(address) ?? new Map<Name, ServedZone>()
      this.atAddress.set(address, zones.set(fresh.apex, fresh))
    }
    this.link(fresh, old)
    for (const watcher of this.watchers) watcher(fresh)
  }

  /** Calls `watcher` with every zone that is put from now on. Returns the way to end that. */
  watch(watcher: (zone: ServedZone) => void): () => void {
    this.watchers.add(watcher)
    return () => void this.watchers.delete(watcher)
  }

  get zones(): readonly ServedZone[] {
    return [...this.served.values()]
  }

  /** The addresses of all name servers, and of the boxes in front of them. */
  get addresses(): readonly string[] {
    return [...this.atAddress.keys()]
  }

  /** The nearest zone of those at one address, or of all. */
  zoneFor(question: Pick<Question, 'name' | 'type'>, address?: string): ServedZone | undefined {
    const zones = address === undefined ? this.served : this.atAddress.get(address)
    let name = canonical(question.name)
    // A DS belongs to the parent, unless the server has none of its ancestors.
    const skipped = question.type === TYPE.DS && name !== ROOT ? zones?.get(name) : undefined
    if (skipped !== undefined) name = parentOf(name)
    for (; ; name = parentOf(name)) {
      const found = zones?.get(name)
      if (found !== undefined) return found
      if (name === ROOT) return skipped
    }
  }

  private above(apex: Name): ServedZone | undefined {
    return apex === ROOT ? undefined : this.zoneFor({ name: parentOf(apex), type: TYPE.SOA })
  }

  /** Puts `fresh` under the zone above, and under `fresh` the zones that are now below it. */
  private link(fresh: ServedZone, old: ServedZone | undefined): void {
    const above = this.above(fresh.apex)
    const below = old?.delegated() ?? above?.delegated().filter((child) => fresh.holds(child.apex)) ?? []
    for (const child of below) {
      if (old === undefined) above?.undelegate(child)
      fresh.delegate(child)
    }
    above?.delegate(fresh)
  }

  private leaveServers({ apex, servers }: ServedZone): void {
    for (const address of servers.flatMap(addressesOf)) {
      const zones = this.atAddress.get(address)
      zones?.delete(apex)
      if (zones?.size === 0) this.atAddress.delete(address)
    }
  }
}

function addressesOf({ address, middlebox }: NameServer): readonly string[] {
  return middlebox === undefined ? [address] : [address, middlebox]
}
