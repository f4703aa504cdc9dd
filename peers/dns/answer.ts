/**
 * What a sound authoritative name server answers (RFC 1034 §4.3.2, RFC 2308, RFC 4592, RFC 6672, RFC 6604, RFC 4035
 * §3.1, RFC 5155 §7.2). Pure: a query and the zones that the server has go in, a message comes out.
 */
import type { Denial } from './dnssec/denial.ts'
import { proveExpansion, proveNoData, proveNoDataAtWildcard, proveNoName } from './dnssec/proof.ts'
import type { RecordSet } from './dnssec/signer.ts'
import { type Message, type Question, type ResourceRecord, responseTo } from './message.ts'
import { canonical, labelsOf, type Name, nameOf } from './name.ts'
import { CLASS, OPCODE, RCODE, TYPE } from './numbers.ts'
import { fieldsOf, rdata } from './rdata.ts'
import type { ServedZone } from './served-zone.ts'
import type { ZoneNode } from './zone-tree.ts'

/** Steps of a chain of aliases inside one zone before the server stops and leaves the rest to the resolver. */
const MOST_ALIASES = 16

/** QTYPEs that are no data (RFC 6895 §3.1): transfers and mailbox types. ANY is answered. */
const META_TYPES: ReadonlySet<number> = new Set([TYPE.OPT, 249, 250, 251, 252, 253, 254])

/** The zone of a server that is nearest to a question; for DS at an apex, the parent (RFC 4035 §3.1.4.1). */
export type ZoneChoice = (question: Question) => ServedZone | undefined

export function answer(query: Message, choose: ZoneChoice): Message {
  const [question] = query.questions
  if (query.opcode !== OPCODE.QUERY) return responseTo(query, RCODE.NOTIMP)
  if (question === undefined || query.questions.length > 1) return responseTo(query, RCODE.FORMERR)
  if ((query.edns?.version ?? 0) > 0) return responseTo(query, RCODE.BADVERS)
  if (META_TYPES.has(question.type)) return responseTo(query, RCODE.NOTIMP)
  const zone = question.class === CLASS.IN || question.class === CLASS.ANY ? choose(question) : undefined
  if (zone === undefined) return responseTo(query, RCODE.REFUSED)
  return new Answer(query, question, zone).message()
}

/** Picks the sets that prove; called only where they are wanted. */
type Proof = (denial: Denial) => readonly RecordSet[]

class Answer {
  private readonly query: Message
  private readonly question: Question
  private readonly zone: ServedZone
  /** Signatures and proofs are wanted, and the zone has them. */
  private readonly dnssec: boolean
  private readonly answers: ResourceRecord[] = []
  private readonly authorities: ResourceRecord[] = []
  private additionals: readonly ResourceRecord[] = []
  private rcode: number = RCODE.NOERROR
  private isReferral = false

  constructor(query: Message, question: Question, zone: ServedZone) {
    this.query = query
    this.question = question
    this.zone = zone
    this.dnssec = query.edns?.do === true && zone.signer !== undefined
  }

  message(): Message {
    let name: Name | undefined = this.question.name
    for (let steps = 0; name !== undefined && steps < MOST_ALIASES; steps++) name = this.step(name)
    return {
      ...responseTo(this.query, this.rcode),
      aa: !this.isReferral || this.answers.length > 0,
      answers: this.answers,
      authorities: this.authorities,
      additionals: this.additionals,
    }
  }

  /** Answers for `name`; returns where an alias leads, as long as that is in the zone. */
  private step(name: Name): Name | undefined {
    const found = this.zone.find(name, this.question.type)
    switch (found.kind) {
      case 'absent':
        this.rcode = RCODE.NXDOMAIN
        this.deny((denial) => proveNoName(denial, name, found.encloser))
        return undefined
      case 'cut':
        this.refer(found.node)
        return undefined
      case 'dname':
        return this.redirect(name, found.node)
      case 'node':
        return this.data(name, found.node, (denial) => proveNoData(denial, name))
      case 'wildcard': {
        const { encloser } = found
        const count = this.answers.length
        const next = this.data(name, found.node, (denial) => proveNoDataAtWildcard(denial, name, encloser))
        if (this.answers.length > count) this.prove((denial) => proveExpansion(denial, name, encloser))
        return next
      }
    }
  }

  /** The sets at a node, under the name that was asked for: its case, and what a wildcard stands for. */
  private data(name: Name, node: ZoneNode, proof: Proof): Name | undefined {
    const { type } = this.question
    const own = this.wanted(node, type)
    if (own.length > 0) {
      this.answers.push(...own.map((each) => ({ ...each, name })))
      return undefined
    }
    const alias = this.zone.setAt(node, TYPE.CNAME)
    if (alias?.[0] === undefined) {
      this.deny(proof)
      return undefined
    }
    this.answers.push(...this.signed(alias).map((each) => ({ ...each, name })))
    return this.inZone(fieldsOf('CNAME', alias[0].data).target)
  }

  private wanted(node: ZoneNode, type: number): readonly ResourceRecord[] {
    const sets = (types: readonly number[]) => types.map((each) => this.zone.setAt(node, each) ?? [])
    if (type === TYPE.ANY) return sets(this.zone.typesAt(node)).flatMap((set) => this.signed(set))
    if (type === TYPE.RRSIG)
      return sets(this.zone.typesAt(node)).flatMap((set) => this.zone.signed(set).slice(set.length))
    return sets([type]).flatMap((set) => this.signed(set))
  }

  /** RFC 6672 §3.1: the DNAME, and a CNAME made of it, which nobody signs. */
  private redirect(name: Name, node: ZoneNode): Name | undefined {
    const set = this.zone.setAt(node, TYPE.DNAME) ?? []
    const [redirection] = set
    if (redirection === undefined) return undefined
    this.answers.push(...this.signed(set))
    const kept = labelsOf(name).slice(0, labelsOf(name).length - labelsOf(node.name).length)
    const labels = [...kept, ...labelsOf(fieldsOf('DNAME', redirection.data).target)]
    if (labels.reduce((sum, label) => sum + label.length + 1, 1) > 255) {
      this.rcode = YXDOMAIN
      return undefined
    }
    const target = nameOf(labels)
    const data = rdata('CNAME', { target })
    this.answers.push({ name, type: TYPE.CNAME, class: CLASS.IN, ttl: redirection.ttl, data })
    return this.question.type === TYPE.CNAME ? undefined : this.inZone(target)
  }

  private inZone(target: Name): Name | undefined {
    const isRepeated = this.answers.some(({ name }) => canonical(name) === canonical(target))
    return !isRepeated && this.zone.holds(target) ? target : undefined
  }

  /** NXDOMAIN and NODATA carry the SOA, with the time for which they hold (RFC 2308 §3, §5), and the proof. */
  private deny(proof: Proof): void {
    const { soa, negativeTtl: ttl } = this.zone
    this.authorities.push(...this.signed(soa).map((each) => ({ ...each, ttl })))
    this.prove(proof)
  }

  private prove(proof: Proof): void {
    const denial = this.dnssec ? this.zone.denial : undefined
    if (denial !== undefined) this.authorities.push(...proof(denial).flatMap((set) => this.signed(set)))
  }

  /** A referral says whether the zone below is signed (RFC 4035 §3.1.4). */
  private refer(node: ZoneNode): void {
    const { zone } = this
    this.isReferral = true
    this.authorities.push(...(zone.setAt(node, TYPE.NS) ?? []))
    this.additionals = zone.glue(node)
    if (!this.dnssec) return
    const ds = zone.setAt(node, TYPE.DS)
    if (ds !== undefined) this.authorities.push(...this.signed(ds))
    else this.prove((denial) => proveNoData(denial, node.name))
  }

  private signed(set: RecordSet): readonly ResourceRecord[] {
    return this.dnssec ? this.zone.signed(set) : set
  }
}

/** RFC 6672 §2.2. */
const YXDOMAIN = 6
