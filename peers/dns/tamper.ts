/** What faults have in common: which denial is asked of them, and sound answers with other proofs in them. Pure. */
import type { Denial } from './dnssec/denial.ts'
import type { RecordSet } from './dnssec/signer.ts'
import type { Exchange } from './fault.ts'
import type { Message, ResourceRecord } from './message.ts'
import type { Name } from './name.ts'
import { TYPE } from './numbers.ts'
import { fieldsOf, rdata } from './rdata.ts'

/** A denial that a signed zone owes to a client that understands it. */
export interface Owed {
  readonly as: 'no-name' | 'no-data' | 'no-data-at-wildcard' | 'expansion'
  readonly denial: Denial
  /** The closest ancestor that exists; the name itself for `no-data`. */
  readonly encloser: Name
  readonly sound: Message
}

/** The denial that is asked for; nothing where the answer has none, is not signed, or nobody wants proofs. */
export function owedDenial({ query, question, zone, answer }: Exchange): Owed | undefined {
  const { denial } = zone
  const found = zone.find(question.name, question.type)
  if (query.edns?.do !== true || denial === undefined || found.kind === 'cut' || found.kind === 'dname')
    return undefined
  const sound = answer()
  if (found.kind === 'absent') return { as: 'no-name', denial, encloser: found.encloser, sound }
  const hasData = sound.answers.length > 0
  if (found.kind === 'wildcard')
    return { as: hasData ? 'expansion' : 'no-data-at-wildcard', denial, encloser: found.encloser, sound }
  return hasData ? undefined : { as: 'no-data', denial, encloser: question.name, sound }
}

/**
 * `sound` with another proof; undefined where that proves it all the same: where by the accident of hashes its records are among
 * the wrong ones. One record only matches or covers a name, so that there is no third proof.
 */
export function withProof(
  { zone }: Exchange,
  sound: Message,
  proof: readonly (RecordSet | undefined)[],
): Message | undefined {
  const sets = [...new Set(proof.filter((set) => set !== undefined))]
  const others = sound.authorities.filter((each) => !isProof(each))
  const had = sound.authorities.filter(isProof).filter(({ type }) => type !== TYPE.RRSIG)
  const sent = new Set(sets.flat())
  return had.every((each) => sent.has(each))
    ? undefined
    : { ...sound, authorities: [...others, ...sets.flatMap((set) => zone.signed(set))] }
}

/** `sound` with its denials through `change`, signed anew; undefined where nothing has changed. */
export function withChangedDenials(
  exchange: Exchange,
  sound: Message,
  change: (record: ResourceRecord) => ResourceRecord,
): Message | undefined {
  const denials = sound.authorities.filter(({ type }) => isDenialType(type))
  return withProof(
    exchange,
    sound,
    denials.map((record) => [change(record)]),
  )
}

/** NSEC, NSEC3 and their signatures. */
export function isProof(record: ResourceRecord): boolean {
  return isDenialType(record.type) || (record.type === TYPE.RRSIG && isDenialType(typeSigned(record)))
}

export function isDenialType(type: number): boolean {
  return type === TYPE.NSEC || type === TYPE.NSEC3
}

/** What an RRSIG signs. */
export function typeSigned(record: ResourceRecord): number {
  return fieldsOf('RRSIG', record.data).typeCovered
}

/** Every record of all three sections through `change`, which may leave it away. */
export function mapRecords(message: Message, change: (record: ResourceRecord) => ResourceRecord | undefined): Message {
  const through = (records: readonly ResourceRecord[]) => records.map(change).filter((each) => each !== undefined)
  return {
    ...message,
    answers: through(message.answers),
    authorities: through(message.authorities),
    additionals: through(message.additionals),
  }
}

/** A denial with another bitmap. */
export function withTypes(record: ResourceRecord, types: readonly number[]): ResourceRecord {
  const data =
    record.type === TYPE.NSEC
      ? rdata('NSEC', { ...fieldsOf('NSEC', record.data), types })
      : rdata('NSEC3', { ...fieldsOf('NSEC3', record.data), types })
  return { ...record, data }
}
