/**
 * Whether what a name server said holds (RFC 4035 §5): for one question, the answer that was given for its own name.
 * Where an alias leads is another question.
 */
import type { Message, Question, ResourceRecord } from '../message.ts'
import { canonical, isWithin, labelsOf, type Name, parentOf } from '../name.ts'
import { EDE, RCODE, TYPE } from '../numbers.ts'
import { fieldsOf } from '../rdata.ts'
import { DenialCheck, type Proven } from './denial-check.ts'
import { checkSet, type SignedSet, setsOf, type TrustedZone } from './signed-set.ts'
import type { Standing, Trust } from './trust.ts'

/** How an answer stands; bogus with the extended error that says why. */
export type Verdict =
  /** `rcode`: what the proof shows, where the server said another. */
  | { readonly status: 'secure' | 'insecure'; readonly rcode?: number }
  | { readonly status: 'bogus'; readonly ede: number }

const SECURE: Verdict = { status: 'secure' }
const INSECURE: Verdict = { status: 'insecure' }

export class Validator {
  private readonly trust: Trust
  private readonly seconds: () => number

  constructor(trust: Trust, seconds: () => number) {
    this.trust = trust
    this.seconds = seconds
  }

  /** @param own the records of the answer that belong to the question's own name, signatures among them. */
  async judge(question: Question, response: Message, own: readonly ResourceRecord[]): Promise<Verdict> {
    const name = canonical(question.name)
    const sets = setsOf(own)
    const denials = setsOf(response.authorities)
    if (sets.length === 0) return this.negative(name, question.type, response, denials)
    const verdicts = await Promise.all(
      sets.map((set) => (isMade(set, sets) ? Promise.resolve(SECURE) : this.positive(set, name, denials))),
    )
    return worst(verdicts)
  }

  /** A set of the answer; for what a wildcard stands for, the proof that nothing nearer does. */
  private async positive(set: SignedSet, name: Name, authorities: readonly SignedSet[]): Promise<Verdict> {
    const standing = await this.standingFor(set.owner, set.type, set.signatures)
    if (standing.status !== 'secure') return standing
    const checked = checkSet(set, standing, this.seconds())
    if (!checked.holds) return { status: 'bogus', ede: checked.ede }
    if (checked.encloser === undefined) return SECURE
    const check = this.denials(standing, authorities)
    return check instanceof DenialCheck ? fromProof(check.noNameBelow(name, checked.encloser)) : check
  }

  private async negative(name: Name, type: number, response: Message, sets: readonly SignedSet[]): Promise<Verdict> {
    const signatures = sets.filter((set) => set.type !== TYPE.NS).flatMap((set) => set.signatures)
    const standing = await this.standingFor(name, type, signatures)
    if (standing.status !== 'secure') return standing
    const check = this.denials(standing, sets)
    if (!(check instanceof DenialCheck)) return check
    if (response.rcode !== RCODE.NXDOMAIN) return fromProof(check.noData(name, type))
    const proven = check.noName(name)
    // As unbound is: NXDOMAIN with NSEC records that prove NODATA (an empty non-terminal) is taken for that.
    const isNoData = proven === 'bogus' && check.kind === 'nsec' && check.noData(name, type) === 'secure'
    return isNoData ? { status: 'secure', rcode: RCODE.NOERROR } : fromProof(proven)
  }

  /** The zone that signed; for what is not signed, the one that the name is in. */
  private async standingFor(owner: Name, type: number, signatures: SignedSet['signatures']): Promise<Standing> {
    const signer = signatures[0] === undefined ? undefined : canonical(signatures[0].signer)
    const inside = type === TYPE.DS ? parentOf(owner) : owner
    if (signer === undefined || !isWithin(inside, signer)) {
      const standing = await this.trust.of(inside)
      return standing.status === 'secure' ? { status: 'bogus', ede: EDE.RRSIGS_MISSING } : standing
    }
    const standing = await this.trust.of(signer)
    // A signer that is no zone of its own has no keys to be trusted.
    return standing.status === 'secure' && standing.zone !== signer
      ? { status: 'bogus', ede: EDE.DNSKEY_MISSING }
      : standing
  }

  /** The denials of a message, if all that the message says beside them holds, too. */
  private denials(zone: TrustedZone, sets: readonly SignedSet[]): DenialCheck | Verdict {
    const denials = sets.filter(({ type }) => type === TYPE.NSEC || type === TYPE.NSEC3)
    for (const set of sets) {
      // NS beside an answer is often unsigned, and nothing here rests on it.
      if (set.type === TYPE.NS && set.signatures.length === 0) continue
      const checked = checkSet(set, zone, this.seconds())
      if (!checked.holds) return { status: 'bogus', ede: checked.ede }
      // A wildcard's denial is signed as the wildcard, never as what it stands for.
      if (checked.encloser !== undefined && denials.includes(set)) return { status: 'bogus', ede: EDE.DNSSEC_BOGUS }
    }
    return denials.length === 0 ? { status: 'bogus', ede: EDE.NSEC_MISSING } : new DenialCheck(zone.zone, denials)
  }
}

/** A CNAME that follows from a DNAME beside it needs no signature (RFC 6672 §5.3.1). */
function isMade(set: SignedSet, all: readonly SignedSet[]): boolean {
  const [alias] = set.records
  if (set.type !== TYPE.CNAME || set.signatures.length > 0 || alias === undefined) return false
  return all.some(({ type, owner, records }) => {
    const [redirection] = records
    if (type !== TYPE.DNAME || redirection === undefined || owner === set.owner || !isWithin(set.owner, owner))
      return false
    const kept = labelsOf(set.owner).slice(0, labelsOf(set.owner).length - labelsOf(owner).length)
    const target = [...kept, ...labelsOf(canonical(fieldsOf('DNAME', redirection.data).target))]
    return labelsOf(canonical(fieldsOf('CNAME', alias.data).target)).join('.') === target.join('.')
  })
}

function fromProof(proven: Proven): Verdict {
  if (proven === 'bogus') return { status: 'bogus', ede: EDE.DNSSEC_BOGUS }
  return proven === 'secure' ? SECURE : INSECURE
}

/** Secure only if all are. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  return (
    verdicts.find(({ status }) => status === 'bogus') ?? verdicts.find(({ status }) => status === 'insecure') ?? SECURE
  )
}
