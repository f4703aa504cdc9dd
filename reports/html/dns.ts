/** DNS as the client saw it, question by question: what its stub asked and was told, and what went on behind that. */
import type { DnsCrossed } from '../../peers/events.ts'
import type { LogEvent, ResolverSaid } from '../../scenarios/events.ts'
import { messageText } from '../dns-text.ts'
import { timeText } from '../ladder/list.ts'
import { text } from '../markup.ts'
import { clip, count } from '../text.ts'

/** Messages that are told; the capture and the event log have them all. */
const MOST = 24

/** Nothing where no DNS was recorded. */
export function dnsSection(events: readonly LogEvent[], origin: number): string {
  const told = events.filter(
    (event): event is DnsCrossed | ResolverSaid => event.type === 'dns' || event.type === 'resolver-log',
  )
  const own = told.filter((event) => event.type === 'resolver-log' || event.at === 'stub')
  const behind = told.filter((event) => !own.includes(event))
  if (behind.length === 0) return table(own, origin)
  const summary = `Behind its resolver: ${count(behind.length, 'message')}`
  return `${table(own, origin)}<details><summary>${summary}</summary>${table(behind, origin)}</details>`
}

function table(messages: readonly (DnsCrossed | ResolverSaid)[], origin: number): string {
  if (messages.length === 0) return ''
  const rows = messages.slice(0, MOST).map((event) => row(event, origin))
  const more = messages.length > MOST ? `<p class="dim">and ${count(messages.length - MOST, 'more message')}</p>` : ''
  return `<div class="wide"><table class="list"><thead><tr><th scope="col">time</th><th scope="col">at</th><th scope="col">message</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>${more}`
}

function row(event: DnsCrossed | ResolverSaid, origin: number): string {
  if (event.type === 'resolver-log')
    return `<tr><td class="num">${timeText(event.t - origin)}</td><td>resolver</td><td>${text(clip(event.line, 600))}</td></tr>`
  const arrow = event.direction === 'in' ? '→' : '←'
  return `<tr><td class="num">${timeText(event.t - origin)}</td><td>${event.at} ${arrow}</td><td><code>${text(clip(messageText(event), 600))}</code></td></tr>`
}
