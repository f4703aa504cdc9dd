/**
 * Record sets that prove themselves: sound data, at which no fault fires. That such a set was in place, was asked for, and
 * that the answer with it (or that there is none) left, is on record as a fault's doing is. Pure: the server that has the
 * zone writes the events.
 */
import { decodeMessage, type Question } from './message.ts'
import { canonical, type Name, parseName, ROOT, ZoneError } from './name.ts'
import { RCODE, rcodeText, TYPE, typeNumber, typeText } from './numbers.ts'
import { rdataText } from './rdata-text.ts'
import type { ServedZone } from './served-zone.ts'

export interface ProvenSet {
  /** As it was written, which is what the log calls it. */
  readonly written: string
  readonly name: Name
  readonly type: number
}

/**
 * A set from its name and type: `alias CNAME`. The name is relative to `origin` unless it ends in a dot, `@` is the origin.
 *
 * @throws {ZoneError}
 */
export function provenSet(written: string, origin: Name): ProvenSet {
  const [name = '', word = '', ...rest] = written.split(' ')
  const type = typeNumber(word)
  if (type === undefined || rest.length > 0)
    throw new ZoneError(`${JSON.stringify(written)} is no record set: want a name and a type, "alias CNAME"`)
  if (name === '@') return { written, name: origin, type }
  const isAbsolute = name.endsWith('.')
  return { written, name: parseName(isAbsolute || origin === ROOT ? name : `${name}.${origin}`), type }
}

/** Whether a query is its chance: one for it, or, where it is an alias, one for anything at its name. */
export function isAskedFor({ name, type }: ProvenSet, question: Question): boolean {
  return canonical(question.name) === canonical(name) && (question.type === type || type === TYPE.CNAME)
}

/**
 * What a sound answer, in the octets that left, tells of the set: its records, or, to a query for it, that the zone has none.
 * Undefined where it tells nothing, as one that was cut short does.
 */
export function toldOf(set: ProvenSet, zone: ServedZone, octets: Buffer): string | undefined {
  const { answers, questions, rcode, tc } = decodeMessage(octets)
  const own = answers.filter(({ name, type }) => type === set.type && canonical(name) === canonical(set.name))
  const [first] = own
  const title = `${set.name} ${typeText(set.type)}`
  if (first !== undefined) return `answered with ${own.length} of ${title}: ${rdataText(first.type, first.data)}`
  const isDenied = rcode === RCODE.NOERROR || rcode === RCODE.NXDOMAIN
  const isAsked = questions.some((question) => question.type === set.type && isAskedFor(set, question))
  if (tc || !isDenied || !isAsked || answers.length > 0 || isIn(zone, set)) return undefined
  return `answered that there is no ${title}: ${rcode === RCODE.NOERROR ? 'no data' : rcodeText(rcode)}`
}

function isIn(zone: ServedZone, { name, type }: ProvenSet): boolean {
  const found = zone.find(name, type)
  return (found.kind === 'node' || found.kind === 'wildcard') && zone.setAt(found.node, type) !== undefined
}
