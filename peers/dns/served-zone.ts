/**
 * A zone as a name server sees it: its nodes by name, empty non-terminals included, where it is cut, and what a query name
 * meets on its way down (RFC 1034 §4.3.2, RFC 4592, RFC 6672 §3.2).
 *
 * Delegations to zones of the same internet are not records: they follow from the zones that there are.
 */
import { type ArmedFault, armFaults } from './armed-fault.ts'
import type { Fault } from './fault.ts'
import type { ResourceRecord } from './message.ts'
import { canonical, childOf, countLabels, isWithin, lastLabels, type Name, parentOf } from './name.ts'
import { CLASS, TYPE } from './numbers.ts'
import { fieldsOf, rdata } from './rdata.ts'
import type { NameServer, Zone } from './zone.ts'

export interface ZoneNode {
  readonly name: Name
  /** By type; none at an empty non-terminal. */
  readonly sets: ReadonlyMap<number, readonly ResourceRecord[]>
}

/** What a query name meets. */
export type Found =
  | { readonly kind: 'node'; readonly node: ZoneNode }
  /** `node` is the wildcard that stands for the name. */
  | { readonly kind: 'wildcard'; readonly node: ZoneNode; readonly encloser: Name }
  /** Neither the name nor a wildcard for it; `encloser` is its closest ancestor that exists. */
  | { readonly kind: 'absent'; readonly encloser: Name }
  /** The zone ends above or at the name. */
  | { readonly kind: 'cut'; readonly node: ZoneNode }
  /** An ancestor has a DNAME. */
  | { readonly kind: 'dname'; readonly node: ZoneNode }

interface Node extends ZoneNode {
  readonly sets: Map<number, ResourceRecord[]>
}

export class ServedZone {
  readonly zone: Zone
  /** The origin in lower case. */
  readonly apex: Name
  readonly servers: readonly NameServer[]
  readonly faults: readonly ArmedFault[]
  private readonly nodes = new Map<Name, Node>()
  /** The zones below it that its internet has, by apex. */
  private readonly children = new Map<Name, ServedZone>()

  /** @throws {FaultError} on a fault that is unknown or cannot take its parameters. */
  constructor(zone: Zone, fallback: NameServer, faults: ReadonlyMap<string, Fault>) {
    this.zone = zone
    this.apex = canonical(zone.origin)
    this.servers = zone.servers.length > 0 ? zone.servers : [fallback]
    this.faults = armFaults(zone, faults)
    const apex = this.make(zone.origin)
    for (const each of zone.records) this.add(each)
    if (!apex.sets.has(TYPE.SOA)) this.add(this.usualSoa())
    if (!apex.sets.has(TYPE.NS)) for (const { name } of this.servers) this.add(this.nameServer(name))
    for (const server of this.servers) {
      if (!isWithin(canonical(server.name), this.apex)) continue
      if (this.nodes.get(canonical(server.name))?.sets.has(addressType(server.address)) !== true) {
        this.add(addressRecord(server, zone.ttl))
      }
    }
  }

  /** The start of authority, which every zone has. */
  get soa(): ResourceRecord {
    const [soa] = this.nodes.get(this.apex)?.sets.get(TYPE.SOA) ?? []
    if (soa === undefined) throw new Error(`${this.apex} has no SOA`)
    return soa
  }

  delegate(child: ServedZone): void {
    this.children.set(child.apex, child)
    this.make(child.zone.origin)
  }

  /** The child has another parent now. Its node stays: what has come between hides it. */
  undelegate(child: ServedZone): void {
    this.children.delete(child.apex)
  }

  delegated(): readonly ServedZone[] {
    return [...this.children.values()]
  }

  node(name: Name): ZoneNode | undefined {
    return this.nodes.get(canonical(name))
  }

  /** Whether `name` is the apex or below it; it may be in a zone below this one. */
  holds(name: Name): boolean {
    return isWithin(canonical(name), this.apex)
  }

  /** Where the way down to `name` ends. At a cut the parent's side of `type` DS is a node like any other (RFC 4035 §3.1.4.1). */
  find(name: Name, type: number): Found {
    const wanted = canonical(name)
    const depth = countLabels(wanted)
    let encloser = this.apex
    for (let labels = countLabels(this.apex); labels <= depth; labels++) {
      const here = labels === depth ? wanted : lastLabels(wanted, labels)
      const node = this.nodes.get(here)
      if (node === undefined) return this.wildcard(encloser)
      if (this.isCut(here, node) && !(labels === depth && type === TYPE.DS)) return { kind: 'cut', node }
      if (labels === depth) return { kind: 'node', node }
      if (node.sets.has(TYPE.DNAME)) return { kind: 'dname', node }
      encloser = here
    }
    return { kind: 'absent', encloser }
  }

  /** NS records of a delegation and the addresses of those name servers that this zone or the child's data know. */
  referral(at: Name): { readonly servers: readonly ResourceRecord[]; readonly glue: readonly ResourceRecord[] } {
    const child = this.children.get(canonical(at))
    if (child !== undefined) {
      const glue = child.servers.filter(({ name }) => isWithin(canonical(name), this.apex))
      return {
        servers: child.servers.map(({ name }) => ({ ...this.nameServer(name), name: child.zone.origin })),
        glue: glue.map((server) => addressRecord(server, this.zone.ttl)),
      }
    }
    const servers = this.node(at)?.sets.get(TYPE.NS) ?? []
    return { servers, glue: servers.flatMap((each) => this.addressesOf(each)) }
  }

  private addressesOf(nameServer: ResourceRecord): readonly ResourceRecord[] {
    const { sets } = this.node(fieldsOf('NS', nameServer.data).host) ?? {}
    return [...(sets?.get(TYPE.A) ?? []), ...(sets?.get(TYPE.AAAA) ?? [])]
  }

  private isCut(name: Name, node: ZoneNode): boolean {
    return name !== this.apex && (node.sets.has(TYPE.NS) || this.children.has(name))
  }

  private wildcard(encloser: Name): Found {
    const node = this.nodes.get(childOf(encloser, '*'))
    return node === undefined ? { kind: 'absent', encloser } : { kind: 'wildcard', node, encloser }
  }

  private add(each: ResourceRecord): void {
    const { sets } = this.make(each.name)
    const set = sets.get(each.type)
    if (set === undefined) sets.set(each.type, [each])
    // A set holds no record twice (RFC 2181 §5).
    else if (!set.some(({ data }) => data.equals(each.data))) set.push(each)
  }

  /** The node of `name`, made with all its ancestors down from the apex where it is new. */
  private make(name: Name): Node {
    const key = canonical(name)
    const known = this.nodes.get(key)
    if (known !== undefined) return known
    const node: Node = { name, sets: new Map() }
    this.nodes.set(key, node)
    if (key !== this.apex) this.make(parentOf(name))
    return node
  }

  private usualSoa(): ResourceRecord {
    const { origin, ttl } = this.zone
    const fields = {
      primary: this.servers[0]?.name ?? origin,
      mailbox: childOf(origin, 'hostmaster'),
      serial: 1,
      refresh: 3600,
      retry: 600,
      expire: 86_400,
      minimum: ttl,
    }
    return { name: origin, type: TYPE.SOA, class: CLASS.IN, ttl, data: rdata('SOA', fields) }
  }

  private nameServer(host: Name): ResourceRecord {
    const { origin, ttl } = this.zone
    return { name: origin, type: TYPE.NS, class: CLASS.IN, ttl, data: rdata('NS', { host }) }
  }
}

function addressType(address: string): number {
  return address.includes(':') ? TYPE.AAAA : TYPE.A
}

function addressRecord({ name, address }: NameServer, ttl: number): ResourceRecord {
  const data = address.includes(':') ? rdata('AAAA', { address }) : rdata('A', { address })
  return { name, type: addressType(address), class: CLASS.IN, ttl, data }
}
