/** DNS messages as a person reads them, one line each. Pure; what comes from strangers is not yet visible text. */
import { decodeMessage, type Message } from '../peers/dns/message.ts'
import { rcodeText, TYPE, typeText } from '../peers/dns/numbers.ts'
import { rdataText } from '../peers/dns/rdata-text.ts'
import type { DnsCrossed } from '../peers/events.ts'
import { count } from './text.ts'

/** Nothing where the octets are no DNS message. */
export function messageOf({ data }: DnsCrossed): Message | undefined {
  try {
    return decodeMessage(data)
  } catch {
    return undefined
  }
}

/** `mx.example. A` */
export function questionText({ questions }: Message): string {
  return questions.map(({ name, type }) => `${name} ${typeText(type)}`).join(', ')
}

/** `NOERROR, AD, EDE 22` */
export function statusText({ ede = [] }: DnsCrossed, { rcode, ad }: Message): string {
  return `${rcodeText(rcode)}${ad ? ', AD' : ''}${ede.length === 0 ? '' : `, EDE ${ede.join(' ')}`}`
}

/** `query mx.example. A`, `mx.example. A: NOERROR, AD; mx.example. 300 A 192.0.2.1` */
export function messageText(event: DnsCrossed): string {
  const read = messageOf(event)
  if (read === undefined) return `${count(event.data.length, 'octet')} that cannot be read`
  if (!read.qr) return `query ${questionText(read)}`
  const records = read.answers.map(
    ({ name, ttl, type, data }) => `${name} ${ttl} ${typeText(type)} ${withoutKeys(type, rdataText(type, data))}`,
  )
  const told = records.length === 0 ? ['no answer'] : records
  return `${questionText(read)}: ${[statusText(event, read), ...told].join('; ')}`
}

/** Fields before the signature of an RRSIG and the key of a DNSKEY, which tell a reader nothing and cannot be packed. */
const READABLE: Readonly<Record<number, number>> = { [TYPE.RRSIG]: 8, [TYPE.DNSKEY]: 3 }

function withoutKeys(type: number, text: string): string {
  const fields = READABLE[type]
  return fields === undefined ? text : `${text.split(' ').slice(0, fields).join(' ')} …`
}

/** `mx.example. A: NOERROR, AD; 192.0.2.1`: without signatures, and with the owner of a record where it is not that asked for. */
export function briefAnswer(event: DnsCrossed, read: Message): string {
  const asked = read.questions[0]
  const records = read.answers
    .filter(({ type }) => type !== TYPE.RRSIG)
    .map(({ name, type, data }) => {
      const value = rdataText(type, data)
      return name === asked?.name && type === asked.type ? value : `${name} ${typeText(type)} ${value}`
    })
  return `${questionText(read)}: ${[statusText(event, read), ...records].join('; ')}`
}
