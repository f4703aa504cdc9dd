/**
 * A zone as a name server sees it: its nodes by name, empty non-terminals included, where it is cut, what a query name
 * meets on its way down (RFC 1034 §4.3.2, RFC 4592, RFC 6672 §3.2), its signatures and its denials.
 *
 * Delegations to zones of the same internet are not records: they follow from the zones that there are. Everything is
 * made when it is first asked for: of a thousand zones few are, and keys and signatures cost.
 */
import { type ArmedFault, armFaults } from './armed-fault.ts'
import { keyFrom } from './dnssec/algorithms.ts'
import { type ChainName, type Denial, type Nsec3Options, nsec3Chain, nsecChain } from './dnssec/denial.ts'
import { type RecordSet, Signer, type Validity } from './dnssec/signer.ts'
import type { Fault } from './fault.ts'
import type { ResourceRecord } from './message.ts'
import { canonical, childOf, countLabels, isWithin, lastLabels, type Name } from './name.ts'
import { CLASS, TYPE } from './numbers.ts'
import { fieldsOf, rdata } from './rdata.ts'
import type { NameServer, Signing, Zone } from './zone.ts'
import { addressRecord, addressType, type Node, nameServer, Tree, type ZoneNode } from './zone-tree.ts'

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

/** What the zones of one internet have in common. */
export interface ZoneContext {
  /** Has the zones that name no server. */
  readonly fallback: NameServer
  readonly faults: ReadonlyMap<string, Fault>
  readonly seed: number
  readonly validity: Validity
}

export class ServedZone {
  readonly zone: Zone
  /** The origin in lower case. */
  readonly apex: Name
  readonly servers: readonly NameServer[]
  readonly faults: readonly ArmedFault[]
  private readonly context: ZoneContext
  /** The zones below it that its internet has, by apex. */
  private readonly children = new Map<Name, ServedZone>()
  private builtTree: Tree | undefined
  private madeSigner: Signer | undefined
  private madeDenial: Denial | undefined

  /** @throws {FaultError} on a fault that is unknown or cannot take its parameters. */
  constructor(zone: Zone, context: ZoneContext) {
    this.zone = zone
    this.context = context
    this.apex = canonical(zone.origin)
    this.servers = zone.servers.length > 0 ? zone.servers : [context.fallback]
    this.faults = armFaults(zone, context.faults)
  }

  /** Undefined for a zone that is not signed. */
  get signer(): Signer | undefined {
    const { signing } = this.zone
    if (signing === 'none') return undefined
    const { seed, validity } = this.context
    this.madeSigner ??= new Signer(
      this.apex,
      keyFrom(seed, signing.algorithm ?? 'ECDSAP256SHA256', this.apex),
      validity,
    )
    return this.madeSigner
  }

  /** Undefined for a zone that is not signed. */
  get denial(): Denial | undefined {
    this.madeDenial ??= this.chain(this.names())
    return this.madeDenial
  }

  /** The chain of `names`; a sound one where they are all of {@link names}. */
  chain(names: readonly ChainName[]): Denial | undefined {
    const { signing } = this.zone
    if (signing === 'none') return undefined
    const ttl = this.negativeTtl
    if (signing.nsec3 === undefined) return nsecChain(names, ttl)
    return nsec3Chain(this.apex, names, ttl, nsec3Options(signing.nsec3))
  }

  /** The start of authority, which every zone has. */
  get soa(): RecordSet {
    return this.nodes.get(this.apex)?.sets.get(TYPE.SOA) ?? []
  }

  /** How long denials hold, in seconds (RFC 2308 §5, RFC 9077). */
  get negativeTtl(): number {
    const [soa] = this.soa
    return soa === undefined ? 0 : Math.min(soa.ttl, fieldsOf('SOA', soa.data).minimum)
  }

  delegate(child: ServedZone): void {
    this.children.set(child.apex, child)
    // Not built anew: cells come one by one while the run goes on, and are a thousand.
    if (this.builtTree !== undefined) this.cut(this.builtTree, child)
    this.madeDenial = undefined
  }

  /** The child has another parent now; the node stays, hidden by the zone that has come between. */
  undelegate(child: ServedZone): void {
    this.children.delete(child.apex)
    this.madeDenial = undefined
  }

  /** The zone of this internet that is cut off here. */
  child(apex: Name): ServedZone | undefined {
    return this.children.get(apex)
  }

  delegated(): readonly ServedZone[] {
    return [...this.children.values()]
  }

  /** Whether `name` is the apex or below it; it may be in a zone below this one. */
  holds(name: Name): boolean {
    return isWithin(canonical(name), this.apex)
  }

  node(name: Name): ZoneNode | undefined {
    return this.nodes.get(canonical(name))
  }

  /** The types at a node, DNSSEC's own apart from DS and the apex's: none at an empty non-terminal. */
  typesAt({ name }: ZoneNode): readonly number[] {
    return [...(this.nodes.get(canonical(name))?.sets.keys() ?? [])]
  }

  /** The records of a type at a node; the same array each time. */
  setAt({ name }: ZoneNode, type: number): RecordSet | undefined {
    if (type === TYPE.NSEC && this.denial?.kind === 'nsec') return this.denial.match(name)
    const set = this.nodes.get(canonical(name))?.sets.get(type)
    if (set?.length !== 0) return set
    // Keys and digests are made now that somebody wants them.
    const { ttl } = this.zone
    const child = type === TYPE.DS ? this.children.get(canonical(name)) : this
    const data = type === TYPE.DS ? child?.signer?.ds : this.signer?.dnskey
    if (data !== undefined) set.push({ name, type, class: CLASS.IN, ttl, data })
    return set
  }

  /** A set, and its signature where the zone is signed; at a cut only the DS is this zone's to sign. */
  signed(set: RecordSet): readonly ResourceRecord[] {
    const signer = this.signer
    return signer === undefined || set.length === 0 ? set : [...set, signer.signature(set)]
  }

  /**
   * Where the way down to `name` ends. At a cut the parent's side of `type` DS is a node like any other (RFC 4035
   * §3.1.4.1).
   */
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

  /** The names that are this zone's: what is below a cut or a DNAME is not. */
  names(): readonly ChainName[] {
    return [...this.nodes].flatMap(([key, node]) => {
      const found = this.find(key, TYPE.DS)
      if (found.kind !== 'node') return []
      const isCut = this.isCut(key, node)
      const types = [...node.sets.keys()]
      return [{ name: node.name, types: isCut ? types.filter(atCut) : types, isCut }]
    })
  }

  /** Every record, glue and what is hidden below cuts too; where the zone is signed, its signatures and denials. */
  records(): readonly ResourceRecord[] {
    const own = new Set(this.names().map(({ name }) => canonical(name)))
    const sets = [...this.nodes].flatMap(([key, node]) => {
      return this.typesAt(node).flatMap((type) => {
        const set = this.setAt(node, type) ?? []
        return own.has(key) && !(type !== TYPE.DS && this.isCut(key, node)) ? this.signed(set) : set
      })
    })
    return [...sets, ...(this.denial?.all() ?? []).flatMap((set) => this.signed(set))]
  }

  /** The addresses of a delegation's name servers that this zone or the child's data know. */
  glue(at: ZoneNode): readonly ResourceRecord[] {
    const child = this.children.get(canonical(at.name))
    if (child !== undefined) {
      const near = child.servers.filter(({ name }) => isWithin(canonical(name), this.apex))
      return near.map((server) => addressRecord(server, this.zone.ttl))
    }
    return (this.setAt(at, TYPE.NS) ?? []).flatMap(({ data }) => {
      const { sets } = this.nodes.get(canonical(fieldsOf('NS', data).host)) ?? {}
      return [...(sets?.get(TYPE.A) ?? []), ...(sets?.get(TYPE.AAAA) ?? [])]
    })
  }

  private isCut(name: Name, { sets }: Node): boolean {
    return name !== this.apex && sets.has(TYPE.NS)
  }

  private wildcard(encloser: Name): Found {
    const node = this.nodes.get(childOf(encloser, '*'))
    return node === undefined ? { kind: 'absent', encloser } : { kind: 'wildcard', node, encloser }
  }

  private get nodes(): ReadonlyMap<Name, Node> {
    this.builtTree ??= this.build()
    return this.builtTree.nodes
  }

  /** What the zone says of a zone below it. */
  private cut(tree: Tree, { zone: { origin, signing }, servers }: ServedZone): void {
    tree.clear(origin, TYPE.NS, TYPE.DS)
    for (const { name } of servers) tree.add(nameServer(origin, name, this.zone.ttl))
    if (this.zone.signing !== 'none' && signing !== 'none' && signing.ds !== false) tree.reserve(origin, TYPE.DS)
  }

  private build(): Tree {
    const { origin, records, ttl, signing } = this.zone
    const tree = new Tree(origin)
    for (const each of records) tree.add(each)
    if (!tree.has(origin, TYPE.SOA)) tree.add(this.usualSoa())
    if (!tree.has(origin, TYPE.NS)) for (const { name } of this.servers) tree.add(nameServer(origin, name, ttl))
    for (const server of this.servers)
      if (this.holds(server.name) && !tree.has(server.name, addressType(server))) tree.add(addressRecord(server, ttl))
    for (const child of this.children.values()) this.cut(tree, child)
    if (signing !== 'none') {
      tree.reserve(origin, TYPE.DNSKEY)
      if (signing.nsec3 !== undefined) tree.add(this.nsec3Param(nsec3Options(signing.nsec3)))
    }
    return tree
  }

  private nsec3Param({ iterations, salt }: Nsec3Options): ResourceRecord {
    const data = rdata('NSEC3PARAM', { algorithm: 1, flags: 0, iterations, salt })
    return { name: this.zone.origin, type: TYPE.NSEC3PARAM, class: CLASS.IN, ttl: 0, data }
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
}

/** The types of a delegation that the parent answers for (RFC 4035 §2.3); the addresses beside it are glue. */
function atCut(type: number): boolean {
  return type === TYPE.NS || type === TYPE.DS
}

function nsec3Options({ iterations = 0, salt = '', optOut = false }: NonNullable<Signing['nsec3']>): Nsec3Options {
  return { iterations, salt: Buffer.from(salt, 'hex'), optOut }
}
