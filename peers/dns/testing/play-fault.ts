/** For the tests of faults: what one gives back for a query, in process, with the sound answer of a small zone at hand. */
import { answer } from '../answer.ts'
import type { Fault, FaultyAnswer } from '../fault.ts'
import { Internet } from '../internet.ts'
import { type Message, queryFor } from '../message.ts'
import { typeNumber } from '../numbers.ts'
import { zone } from '../zone.ts'

const RECORDS = ['@ MX 10 mx', 'mx A 198.18.0.25', '_25._tcp.mx TLSA 3 1 1 00']

export interface Played {
  readonly query: Message
  readonly sound: Message
  readonly faulty: FaultyAnswer | undefined
}

/** `question` is `mx.badmx.test A`. */
export async function play<Parameters>(
  fault: Fault<Parameters>,
  parameters: Readonly<Record<string, unknown>>,
  question: string,
  transport: 'udp' | 'tcp' = 'udp',
): Promise<Played> {
  const [name = '', type = ''] = question.split(' ')
  const internet = await Internet.create([zone('badmx.test', RECORDS)])
  const query = queryFor(name, typeNumber(type) ?? 0, { id: 7, rd: true, edns: { do: true } })
  const own = internet.zoneFor({ name, type: typeNumber(type) ?? 0 })
  if (own === undefined) throw new Error(`${name} is in no zone`)
  const sound = answer(query, () => own)
  const faulty = fault.respond({ query, transport, zone: own, answer: () => sound }, fault.parameters.parse(parameters))
  return { query, sound, faulty }
}
