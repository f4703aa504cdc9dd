/**
 * For the tests of faults: what one gives back for a query, in process, with the sound answer of a small zone at hand.
 */
import { answer } from '../answer.ts'
import type { Fault } from '../fault.ts'
import { Internet } from '../internet.ts'
import { type Message, queryFor, type ResourceRecord } from '../message.ts'
import { TYPE, typeNumber, typeText } from '../numbers.ts'
import { fieldsOf } from '../rdata.ts'
import { rdataText } from '../rdata-text.ts'
import type { ServedZone } from '../served-zone.ts'
import { type Signing, zone } from '../zone.ts'

/** With a wildcard, empty non-terminals, an alias that leads nowhere, and a signed zone below. */
const RECORDS = [
  '@ MX 10 mx',
  'mx A 198.18.0.25',
  '_25._tcp.mx TLSA 3 1 1 00',
  'plain A 198.18.0.26',
  '1.plain TXT x',
  '*.wild A 198.18.0.27',
  'lost CNAME nobody',
]

export interface Playing {
  readonly transport?: 'udp' | 'tcp'
  readonly signing?: Signing | 'none'
  /** Default true. */
  readonly dnssecOk?: boolean
}

export interface Played {
  readonly query: Message
  readonly zone: ServedZone
  readonly sound: Message
  readonly detail: string | undefined
  /** What leaves; undefined where the fault has no chance. */
  readonly send: Message | Buffer | 'nothing' | 'close' | undefined
}

/** `question` is `mx.badmx.test A`. The zone is `badmx.test`; `signed.badmx.test` is below it. */
export async function play<Parameters>(
  fault: Fault<Parameters>,
  parameters: Readonly<Record<string, unknown>>,
  question: string,
  { transport = 'udp', signing = {}, dnssecOk = true }: Playing = {},
): Promise<Played> {
  const [name = '', type = ''] = question.split(' ')
  const internet = await Internet.create([zone('badmx.test', RECORDS, { signing }), zone('signed.badmx.test', [])])
  const query = queryFor(name, typeNumber(type) ?? 0, { id: 7, rd: true, edns: { do: dnssecOk } })
  const [asked] = query.questions
  const own = internet.zoneFor({ name: 'badmx.test', type: TYPE.SOA })
  const below = internet.zoneFor({ name: 'signed.badmx.test', type: TYPE.SOA })
  if (asked === undefined || own === undefined || below === undefined) throw new Error('the zones are there')
  const give = (other: Message = query) => answer(other, () => own)
  const sound = give()
  const exchange = {
    ...{ query, question: asked, transport, zone: own },
    own: fault.side === 'parent' ? below : own,
    answer: (other = query) => (other === query ? sound : give(other)),
  }
  const faulty = fault.respond(exchange, fault.parameters.parse(parameters))
  return { query, zone: own, sound, detail: faulty?.detail, send: faulty?.send }
}

/** What leaves, where that is a message. */
export function messageOf({ send }: Played): Message {
  if (send === undefined || typeof send === 'string' || Buffer.isBuffer(send)) throw new Error('no message leaves')
  return send
}

/** `NSEC plain.badmx.test`, of the denials of a message. */
export function denialsOf({ authorities }: Message): string[] {
  return authorities
    .filter(({ type }) => type === TYPE.NSEC || type === TYPE.NSEC3)
    .map(({ name, type }) => `${typeText(type)} ${name}`)
}

/** The data of its records of a type, in presentation form. */
export function dataOf(records: readonly ResourceRecord[], type: number): string[] {
  return records.filter((each) => each.type === type).map((each) => rdataText(type, each.data))
}

/** The types that the signatures of a message cover. */
export function signedTypes({ answers, authorities }: Message): number[] {
  const signatures = [...answers, ...authorities].filter(({ type }) => type === TYPE.RRSIG)
  return signatures.map(({ data }) => fieldsOf('RRSIG', data).typeCovered)
}
