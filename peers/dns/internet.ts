/**
 * A whole small internet: zones below a root, and the name servers that have them. It can be changed while it runs; whoever
 * serves it sees the new zones with the next query.
 */
import type { Fault } from './fault.ts'
import { loadDnsFaults } from './faults.ts'
import type { Question } from './message.ts'
import { canonical, type Name, parentOf, ROOT } from './name.ts'
import { TYPE } from './numbers.ts'
import { ServedZone } from './served-zone.ts'
import { type NameServer, type Zone, zone } from './zone.ts'

/** Has every zone that names no server of its own. Its address is the first usable one of RFC 2544's. */
const NAME_SERVER: NameServer = { name: 'ns.test', address: '198.18.0.1' }

export class Internet {
  private readonly faults: ReadonlyMap<string, Fault>
  private readonly served = new Map<Name, ServedZone>()
  /** The same by the address of their name servers. */
  private readonly atAddress = new Map<string, Map<Name, ServedZone>>()
  private readonly watchers = new Set<(zone: ServedZone) => void>()

  private constructor(faults: ReadonlyMap<string, Fault>) {
    this.faults = faults
  }

  /**
   * The zones, and a root and `test` where they have none.
   *
   * @throws {FaultError} on a fault that is unknown or cannot take its parameters.
   */
  static async create(zones: Iterable<Zone> = []): Promise<Internet> {
    const internet = new Internet(await loadDnsFaults())
    for (const each of [zone('.', []), zone('test', [`ns A ${NAME_SERVER.address}`]), ...zones]) internet.put(each)
    return internet
  }

  /** Adds a zone, or takes the place of the one with its origin. @throws {FaultError} and nothing has changed. */
  put(each: Zone): void {
    const fresh = new ServedZone(each, NAME_SERVER, this.faults)
    const old = this.served.get(fresh.apex)
    if (old !== undefined) this.leaveServers(old)
    this.served.set(fresh.apex, fresh)
    for (const { address } of fresh.servers) {
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

  /** The addresses of all name servers. */
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
    // Where the zone above has no node of that name, it has none below it either: that is the usual case, and a quick one.
    const between = above?.node(fresh.apex) === undefined ? [] : above.delegated()
    const below = old?.delegated() ?? between.filter((child) => fresh.holds(child.apex))
    for (const child of below) {
      if (old === undefined) above?.undelegate(child)
      fresh.delegate(child)
    }
    above?.delegate(fresh)
  }

  private leaveServers({ apex, servers }: ServedZone): void {
    for (const { address } of servers) {
      const zones = this.atAddress.get(address)
      zones?.delete(apex)
      if (zones?.size === 0) this.atAddress.delete(address)
    }
  }
}
