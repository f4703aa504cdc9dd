/** DNS as the client saw it, question by question: what its stub asked and was told, and what went on behind that. */
import { decodeMessage, type Message } from '../../peers/dns/message.ts'
import { rcodeText, typeText } from '../../peers/dns/numbers.ts'
import { rdataText } from '../../peers/dns/rdata-text.ts'
import type { DnsCrossed } from '../../peers/events.ts'
import type { LogEvent, ResolverSaid } from '../../scenarios/events.ts'
import { timeText } from '../ladder/list.ts'
import { text } from '../markup.ts'
import { clip, count } from '../text.ts'

/** Messages that are told; the capture and the event log have them all. */
const MOST = 60

/** Nothing where no DNS was recorded. */
export function dnsSection(events: readonly LogEvent[], origin: number): string {
  const messages = events.filter(
    (event): event is DnsCrossed | ResolverSaid => event.type === 'dns' || event.type === 'resolver-log',
  )
  if (messages.length === 0) return ''
  const rows = messages.slice(0, MOST).map((event) => row(event, origin))
  const more = messages.length > MOST ? `<p class="dim">and ${count(messages.length - MOST, 'more message')}</p>` : ''
  return `<div class="wide"><table class="list"><thead><tr><th scope="col">time</th><th scope="col">at</th><th scope="col">message</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>${more}`
}

function row(event: DnsCrossed | ResolverSaid, origin: number): string {
  if (event.type === 'resolver-log')
    return `<tr><td class="num">${timeText(event.t - origin)}</td><td>resolver</td><td>${text(clip(event.line, 600))}</td></tr>`
  const arrow = event.direction === 'in' ? '→' : '←'
  return `<tr><td class="num">${timeText(event.t - origin)}</td><td>${event.at} ${arrow}</td><td><code>${text(message(event))}</code></td></tr>`
}

/** `query mx.example. A`, `NOERROR, AD; mx.example. 300 A 192.0.2.1` */
function message(event: DnsCrossed): string {
  let read: Message
  try {
    read = decodeMessage(event.data)
  } catch {
    return `${count(event.data.length, 'octet')} that cannot be read`
  }
  const asked = read.questions.map(({ name, type }) => `${name} ${typeText(type)}`).join(', ')
  if (!read.qr) return clip(`query ${asked}`, 300)
  const answers = read.answers.map(
    ({ name, ttl, type, data }) => `${name} ${ttl} ${typeText(type)} ${rdataText(type, data)}`,
  )
  const codes = event.ede === undefined || event.ede.length === 0 ? '' : `, EDE ${event.ede.join(' ')}`
  const status = `${rcodeText(read.rcode)}${read.ad ? ', AD' : ''}${codes}`
  return clip(`${asked}: ${[status, ...(answers.length === 0 ? ['no answer'] : answers)].join('; ')}`, 600)
}
