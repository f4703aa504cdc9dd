/** The nodes of a zone: what is at its names, and the names between that have nothing (RFC 4592 §2.2.2). */
import type { ResourceRecord } from './message.ts'
import { canonical, type Name, parentOf } from './name.ts'
import { CLASS, TYPE } from './numbers.ts'
import { rdata } from './rdata.ts'
import type { NameServer } from './zone.ts'

export interface ZoneNode {
  readonly name: Name
}

export interface Node extends ZoneNode {
  /** By type; none at an empty non-terminal. */
  readonly sets: Map<number, ResourceRecord[]>
}

/** The nodes of a zone while they are put together. */
export class Tree {
  readonly nodes = new Map<Name, Node>()
  private readonly origin: Name

  constructor(origin: Name) {
    this.origin = canonical(origin)
    this.make(origin)
  }

  has(name: Name, type: number): boolean {
    return this.nodes.get(canonical(name))?.sets.has(type) === true
  }

  add(each: ResourceRecord): void {
    const { sets } = this.make(each.name)
    const set = sets.get(each.type)
    if (set === undefined) sets.set(each.type, [each])
    // A set holds no record twice (RFC 2181 §5).
    else if (!set.some(({ data }) => data.equals(each.data))) set.push(each)
  }

  /** Takes the sets of these types away. */
  clear(name: Name, ...types: readonly number[]): void {
    const node = this.nodes.get(canonical(name))
    for (const type of types) node?.sets.delete(type)
  }

  /** A set whose one record is made when it is asked for. */
  reserve(name: Name, type: number): void {
    const { sets } = this.make(name)
    if (!sets.has(type)) sets.set(type, [])
  }

  /** The node of `name`, made with all its ancestors down from the apex where it is new. */
  private make(name: Name): Node {
    const key = canonical(name)
    const known = this.nodes.get(key)
    if (known !== undefined) return known
    const node: Node = { name, sets: new Map() }
    this.nodes.set(key, node)
    if (key !== this.origin) this.make(parentOf(name))
    return node
  }
}

/** Where the world finds a name server: at the box in front of it, if there is one. */
export function publicAddress({ address, middlebox }: NameServer): string {
  return middlebox ?? address
}

export function addressType(server: NameServer): number {
  return publicAddress(server).includes(':') ? TYPE.AAAA : TYPE.A
}

export function addressRecord(server: NameServer, ttl: number): ResourceRecord {
  const address = publicAddress(server)
  const data = address.includes(':') ? rdata('AAAA', { address }) : rdata('A', { address })
  return { name: server.name, type: addressType(server), class: CLASS.IN, ttl, data }
}

export function nameServer(owner: Name, host: Name, ttl: number): ResourceRecord {
  return { name: owner, type: TYPE.NS, class: CLASS.IN, ttl, data: rdata('NS', { host }) }
}
