/**
 * The attempts of a cell over time: which connection of which attempt went to which host, when, for how long, and with TLS
 * or without. Shown only where there is more than one connection: one bar alone says nothing.
 */
import type { ConnOpened } from '../../peers/events.ts'
import type { LogEvent } from '../../scenarios/events.ts'
import type { CellRecord } from '../../scenarios/record.ts'
import { timeText } from '../ladder/list.ts'
import { text } from '../markup.ts'
import { count, visible } from '../text.ts'
import { duration } from './pieces.ts'

/** Connections that are drawn. */
const MOST = 40

const WIDTH = 960
const LABEL = 300
const ROW = 22

interface Bar {
  readonly label: string
  readonly from: number
  readonly to: number
  readonly secure: boolean
}

export function attemptsSection(cell: CellRecord, events: readonly LogEvent[], origin: number): string {
  const opened = events.filter((event): event is ConnOpened => event.type === 'conn' && event.state === 'open')
  if (opened.length < 2 && cell.attempts.length < 2) return ''
  const last = events.at(-1)?.t ?? origin
  const bars = opened.slice(0, MOST).map((event, index): Bar => {
    const { conn } = event
    const end = events.find((each) => each.type === 'conn' && each.state === 'closed' && each.conn === conn)
    const secure = events.some((each) => each.type === 'tls' && each.state === 'up' && each.conn === conn)
    const attempt = cell.attempts.findIndex(({ connections }) => connections.includes(conn)) + 1
    const number = attempt > 0 ? `attempt ${attempt}, ` : ''
    return {
      label: `${number}#${index + 1} to ${event.host}`,
      from: event.t - origin,
      to: (end?.t ?? last) - origin,
      secure,
    }
  })
  const more = opened.length > MOST ? `<p class="dim">and ${count(opened.length - MOST, 'more connection')}</p>` : ''
  return `${table(cell, origin)}<div class="wide">${chart(bars)}</div>${more}`
}

/** Attempt by attempt: when, why, how it ended, and how long after the one before: the client's back-off. */
function table(cell: CellRecord, origin: number): string {
  const rows = cell.attempts.map(({ atMs, cause, outcome, connections }, index) => {
    const before = cell.attempts[index - 1]
    const gap = before === undefined ? '' : `${duration(atMs - before.atMs)} later`
    return `<tr><td class="num">${index + 1}</td><td>${cause}</td><td class="num">${timeText(Math.max(0, atMs - origin))}</td><td class="num">${gap}</td><td>${outcome}</td><td class="num">${connections.length}</td></tr>`
  })
  const heads = ['attempt', 'cause', 'began', 'back-off', 'outcome', 'connections']
  return `<div class="wide"><table class="list"><thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`
}

function chart(bars: readonly Bar[]): string {
  if (bars.length === 0) return ''
  const whole = Math.max(1, ...bars.map(({ to }) => to))
  const room = WIDTH - LABEL - 90
  const rows = bars.map(({ label, from, to, secure }, index) => {
    const y = index * ROW
    const x = LABEL + (from / whole) * room
    const width = Math.max(3, ((to - from) / whole) * room)
    const short = [...visible(label)].slice(0, 40).join('')
    return `<text x="0" y="${y + 15}">${text(short)}</text><rect class="${secure ? 'tls' : 'clear'}" x="${round(x)}" y="${y + 4}" width="${round(width)}" height="13" rx="2"/><text class="after" x="${round(x + width + 6)}" y="${y + 15}">${secure ? 'TLS' : 'clear'}, ${duration(to - from)}</text>`
  })
  const height = bars.length * ROW + 4
  return `<svg class="attempts" role="img" aria-label="${count(bars.length, 'connection')} over ${duration(whole)}" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}">${rows.join('')}</svg>`
}

function round(number: number): number {
  return Math.round(number * 10) / 10
}
