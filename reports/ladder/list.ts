/**
 * The ladder as sentences, one per row: the equivalent of the picture for screen readers and narrow screens, and what is
 * pasted into a bug report.
 *
 * What always holds: everything that the picture tells by its lines (who, in clear or in TLS, on which connection) is
 * said in words; every text is visible text.
 */
import { count } from '../text.ts'
import { labelled, VERDICT_LOOKS } from '../verdicts.ts'
import { excerpt } from './excerpt.ts'
import type { Ladder, LadderRow, Mark, MessageRow, ProofRow } from './rows.ts'

export interface LadderItem {
  /** `+1.204 s`; absent where nothing happened. */
  readonly time?: string
  /** One line: what happened. */
  readonly text: string
  /** Lines that belong to it: further lines of a message, its marks, the octets that were replaced. */
  readonly more: readonly string[]
}

export function ladderItems(ladder: Ladder): readonly LadderItem[] {
  const numbered = ladder.rows.some((row) => row.connection > 1)
  return excerpt(ladder.rows).map((row) => {
    if (row.kind === 'left-out') return { text: `… ${count(row.rows, 'row')} left out …`, more: [] }
    const { text, more } = told(row, ladder)
    if (row.kind === 'pause') return { text, more }
    const where = numbered && row.connection > 0 ? `#${row.connection} ` : ''
    return { time: timeText(row.at), text: where + text, more }
  })
}

/** `+1.204 s` */
export function timeText(ms: number): string {
  return `+${(ms / 1000).toFixed(3)} s`
}

/** `6.0 s` */
export function pauseText(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

/** `▲ leaked: password at octet 24` */
export function markText(mark: Mark): string {
  if (mark.kind === 'canary') return `◇ ${mark.text}`
  return `${VERDICT_LOOKS[mark.kind].glyph} ${mark.text}`
}

/** What is to be said of a message besides its lines. */
export function remarks(row: MessageRow): readonly string[] {
  return [
    ...(row.inPlaceBy === undefined ? [] : [`✎ sent in its place by ${row.inPlaceBy}`]),
    ...(row.form === 'fragment' ? [`not a whole ${row.from === 'client' ? 'command' : 'reply'}`] : []),
    ...(row.stray ? ['answers no command'] : []),
    ...(row.at - row.began >= 1000 ? [`in ${row.pieces} pieces over ${pauseText(row.at - row.began)}`] : []),
  ]
}

/** `◆ fired hide-starttls: removed "250-STARTTLS"` */
export function proofText(row: ProofRow): string {
  const glyphs = { armed: '·', opportunity: '◇', fired: '◆' } as const
  return `${glyphs[row.state]} ${row.state} ${row.behaviour}: ${row.detail}`
}

function told(row: LadderRow, ladder: Ladder): { readonly text: string; readonly more: readonly string[] } {
  switch (row.kind) {
    case 'message': {
      const [first = '', ...rest] = row.lines
      const how = row.tls ? 'in TLS' : 'in clear'
      return {
        text: `${direction(row, ladder)}, ${how}: ${first}`,
        more: [...rest, ...remarks(row), ...row.marks.map(markText)],
      }
    }
    case 'proof':
      return {
        text: proofText(row),
        more: row.original.map(({ text, gone }) => `${gone ? '✂ was' : 'kept'}: ${text}`),
      }
    case 'tls':
      return { text: `${row.span === 'server' ? 'server side: ' : ''}${row.text}`, more: [] }
    case 'connection':
    case 'attempt':
    case 'look-up':
      return { text: row.text, more: [] }
    case 'pause':
      return { text: `pause of ${pauseText(row.ms)}`, more: [] }
  }
}

/** `nodemailer → mx.badmx.test` */
function direction({ span, from }: MessageRow, { lanes }: Ladder): string {
  const [client = '', middle = '', server = middle] = lanes
  const [left, right] = span === 'client' ? [client, middle] : span === 'server' ? [middle, server] : [client, server]
  return from === 'client' ? `${left} → ${right}` : `${right} → ${left}`
}

/** What the picture is a picture of, in one line. */
export function ladderTitle(ladder: Ladder): string {
  return `${labelled(ladder.verdict)}: ${ladder.scenario} under ${ladder.policy}, ${ladder.client}`
}
