/**
 * The ladder for a terminal or a bug report: time on the left, a vertical line per party, arrows between them.
 *
 * What always holds: cleartext is single (`│ ─ →`), TLS is double (`║ ═ ⇒`), never told by colour alone; no line is wider
 * than asked (less than 72 columns is taken as 72) but for the command that reproduces the cell.
 */
import { type Paint, painter } from '../style.ts'
import { columns, padEnd, wrap } from '../text.ts'
import { labelled, VERDICT_LOOKS } from '../verdicts.ts'
import type { Ladder, LadderRow, Mark, MessageRow, ProofRow } from './rows.ts'

export interface LadderTextOptions {
  readonly color: boolean
  /** Columns. */
  readonly width: number
}

/** How the parties' lines stand: each gap's width, and what is left of them. */
interface Drawing {
  readonly paint: Paint
  readonly gaps: readonly number[]
  /** Between the first line and the last. */
  readonly area: number
  readonly margin: number
  /** Numbers of connections are shown. */
  readonly numbered: boolean
}

/** Time (`+12.345`, seconds) and a space. */
const CLOCK = 9

/** The whole ladder, ending in a line feed. */
export function renderLadderText(ladder: Ladder, options: LadderTextOptions): string {
  const width = Math.max(72, options.width)
  const numbered = ladder.rows.some((row) => row.connection > 1)
  const margin = CLOCK + (numbered ? 4 : 0)
  const area = width - margin - 2
  const near = Math.floor((area - 1) / 2)
  const gaps = ladder.lanes.length > 2 ? [near, area - 1 - near] : [area]
  const drawing: Drawing = { paint: painter(options.color), gaps, area, margin, numbered }
  const lines = [
    ...header(ladder, width, drawing.paint),
    '',
    laneNames(ladder, drawing),
    ...ladder.rows.flatMap((row) => draw(row, drawing)),
    '',
    ...said(ladder, width),
    `Reproduce: ${ladder.reproduce}`,
  ]
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`
}

const LETTERS: Readonly<Record<string, string>> = {
  V: 'delivered to a verified peer',
  U: 'delivered in TLS, unverified',
  C: 'delivered in clear',
  D: 'deferred',
  B: 'bounced',
  'w:': 'tolerated, but flagged',
}

function header(ladder: Ladder, width: number, paint: Paint): string[] {
  const label = paint(VERDICT_LOOKS[ladder.verdict].colour, paint('bold', labelled(ladder.verdict)))
  const letters = Object.entries(LETTERS).filter(([letter]) => ladder.expected.includes(letter))
  const legend = letters.map(([letter, meaning]) => `${letter} = ${meaning}`).join(', ')
  const fields: readonly (readonly [string, string])[] = [
    ['expected', `${ladder.expected}${legend === '' ? '' : ` (${legend})`}`],
    ['observed', ladder.observed],
    ...(ladder.clause === undefined ? [] : [['source', ladder.clause] as const]),
    ...(ladder.timeScale === 1 ? [] : [['time', `delays and deadlines divided by ${ladder.timeScale}`] as const]),
  ]
  return [
    `${label}  ${ladder.scenario}, ${ladder.policy}, ${ladder.client}`,
    ...wrap(`${ladder.title} (${ladder.severity})`, width),
    ...wrap(ladder.reason, width).map((line) => paint('bold', line)),
    ...fields.flatMap(([name, text]) => hanging(`${padEnd(name, 9)} `, text, width)),
    ...ladder.findings.flatMap((mark) => wrap(markText(mark), width).map((line) => paint(markColour(mark), line))),
  ]
}

/** A text behind a label, its further lines indented below it. */
function hanging(label: string, text: string, width: number): string[] {
  return wrap(text, width - columns(label)).map((line, index) => (index === 0 ? label : ' '.repeat(columns(label))) + line)
}

function laneNames(ladder: Ladder, { gaps, margin, area, paint }: Drawing): string {
  const [client = '', middle = '', server] = ladder.lanes
  const last = server ?? middle
  const first = gaps[0] ?? 0
  const start = server === undefined ? client : padEnd(client, Math.max(columns(client) + 1, first + 1 - Math.floor(columns(middle) / 2))) + middle
  return ' '.repeat(margin) + paint('bold', `${padEnd(start, Math.max(columns(start) + 1, area + 2 - columns(last)))}${last}`)
}

function draw(row: LadderRow, drawing: Drawing): string[] {
  switch (row.kind) {
    case 'message':
      return drawMessage(row, drawing)
    case 'proof':
      return drawProof(row, drawing)
    case 'tls': {
      const colour = row.state === 'failed' ? 'red' : 'dim'
      const rule = row.state === 'up' ? '══ ' : '── '
      const side = row.span === 'server' ? 'server side: ' : ''
      return note(row, `${rule}${side}${row.text}`, drawing, (text) => drawing.paint(colour, text))
    }
    case 'connection':
      return note(row, `${row.state === 'open' ? '┌' : '└'} ${row.text}`, drawing, (text) => drawing.paint('dim', text))
    case 'attempt':
      return [`${clock(row, drawing)}${drawing.paint('bold', ` ${row.text} `)}`]
    case 'pause': {
      const room = Math.max(0, (drawing.area - 10) >> 1)
      return [`${' '.repeat(drawing.margin)}⋮${' '.repeat(room)}⋮ ${(row.ms / 1000).toFixed(1)} s`]
    }
  }
}

function drawMessage(row: MessageRow, drawing: Drawing): string[] {
  const { gaps, paint } = drawing
  const [near = 0, far = 0] = gaps
  const through = row.span === 'both'
  const sending = gaps.length === 1 ? near : through ? (row.from === 'client' ? near : far) : row.span === 'client' ? near : far
  const texts = row.lines.flatMap((line) => wrap(line, sending - 6))
  const block = Math.max(0, ...texts.map(columns))
  const [single, double] = row.tls ? ['═', true] : ['─', false]
  const lines = texts.map((text, index) => {
    const shaft = index === 0 ? single : ' '
    const arrow = row.from === 'client' ? forward(text, shaft, sending, double) : backward(text, shaft, sending, block, double)
    const rest = (width: number, headed: boolean): string => onward(shaft, width, row.from, double, headed && index === 0)
    const cells =
      gaps.length === 1
        ? [arrow.headed]
        : through
          ? row.from === 'client'
            ? [arrow.open, rest(far, true)]
            : [rest(near, true), arrow.open]
          : row.span === 'client'
            ? [arrow.headed, ' '.repeat(far)]
            : [' '.repeat(near), arrow.headed]
    return `${index === 0 ? clock(row, drawing) : ' '.repeat(drawing.margin)}${lifelines(row, cells, through && index === 0)}`
  })
  const extra = [
    ...(row.inPlaceBy === undefined ? [] : [`✎ sent in its place by ${row.inPlaceBy}`]),
    ...(row.form === 'fragment' ? [`no ${row.from === 'client' ? 'command' : 'reply'}`] : []),
    ...(row.stray ? ['answers no command'] : []),
    ...(row.at - row.began >= 1000 ? [`in ${row.pieces} pieces over ${((row.at - row.began) / 1000).toFixed(1)} s`] : []),
  ]
  return [
    ...lines,
    ...extra.flatMap((text) => note(row, `  ${text}`, drawing, (line) => paint('dim', line), false)),
    ...row.marks.flatMap((mark) => note(row, `  ${markText(mark)}`, drawing, (line) => paint(markColour(mark), line), false)),
  ]
}

/** A text of the client and its arrow: with its head at the next line, or open where the arrow goes on. */
function forward(text: string, shaft: string, width: number, double: boolean): { headed: string; open: string } {
  const start = ` ${text} `
  const bar = shaft.repeat(Math.max(0, width - columns(start) - 1))
  return { headed: start + bar + (shaft === ' ' ? ' ' : double ? '⇒' : '→'), open: start + bar + shaft }
}

/** The same from the right; the lines of a text are one block. */
function backward(text: string, shaft: string, width: number, block: number, double: boolean): { headed: string; open: string } {
  const end = ` ${padEnd(text, block)} `
  const bar = shaft.repeat(Math.max(0, width - columns(end) - 1))
  return { headed: (shaft === ' ' ? ' ' : double ? '⇐' : '←') + bar + end, open: shaft + bar + end }
}

/** The second half of an arrow that goes through. */
function onward(shaft: string, width: number, from: 'client' | 'server', double: boolean, headed: boolean): string {
  if (!headed) return shaft.repeat(width)
  const bar = shaft.repeat(width - 1)
  return from === 'client' ? bar + (double ? '⇒' : '→') : (double ? '⇐' : '←') + bar
}

/** The gaps between the lines of the parties; a line is double where TLS ends at it. */
function lifelines(row: LadderRow, cells: readonly string[], crossed: boolean): string {
  const [near = '', far] = cells
  const first = row.secured.client ? '║' : '│'
  if (far === undefined) return first + near + first
  const last = row.secured.server ? '║' : '│'
  const either = row.secured.client || row.secured.server
  const middle = crossed ? (either ? '╬' : '┼') : either ? '║' : '│'
  return first + near + middle + far + last
}

function drawProof(row: ProofRow, drawing: Drawing): string[] {
  const glyphs = { armed: '·', opportunity: '◇', fired: '◆' } as const
  const { paint } = drawing
  const bold = row.state === 'fired' ? 'bold' : 'dim'
  return [
    ...note(row, `${glyphs[row.state]} ${row.state} ${row.behaviour}: ${row.detail}`, drawing, (text) => paint(bold, text)),
    ...row.original.flatMap(({ text, gone }) =>
      note(row, `  ${gone ? '✂ was: ' : '  kept: '}${text}`, drawing, (line) => paint(gone ? 'struck' : 'dim', line), false),
    ),
  ]
}

/** A text between the first line and the last, in as many lines as it needs. */
function note(row: LadderRow, text: string, drawing: Drawing, style: (text: string) => string, timed = true): string[] {
  const indent = /^\s*/.exec(text)?.[0] ?? ''
  return wrap(text.trimStart(), drawing.area - 4 - indent.length).map((line, index) => {
    const margin = index === 0 && timed ? clock(row, drawing) : ' '.repeat(drawing.margin)
    const content = `${indent}${index === 0 ? '' : '  '}${line}`
    const filled = padEnd(content, drawing.area - 1)
    const first = row.secured.client ? '║' : '│'
    const last = (drawing.gaps.length === 1 ? row.secured.client : row.secured.server) ? '║' : '│'
    return `${margin}${first} ${style(content)}${filled.slice(content.length)}${last}`
  })
}

function clock(row: LadderRow, { margin, numbered, paint }: Drawing): string {
  const time = `+${(row.at / 1000).toFixed(3)}`
  const number = numbered && row.connection > 0 ? `#${row.connection}` : ''
  return paint('dim', padEnd(`${padEnd(time, CLOCK)}${number}`, margin))
}

function markText(mark: Mark): string {
  if (mark.kind === 'canary') return `◇ ${mark.text}`
  return `${mark.kind === 'info' ? VERDICT_LOOKS.info.glyph : VERDICT_LOOKS[mark.kind].glyph} ${mark.text}`
}

function markColour(mark: Mark): 'red' | 'yellow' | 'dim' {
  if (mark.kind === 'leak' || mark.kind === 'fail') return 'red'
  return mark.kind === 'flagged' ? 'yellow' : 'dim'
}

function said(ladder: Ladder, width: number): string[] {
  return ladder.words.flatMap((words) => [
    `The client said, attempt ${words.attempt}: ${words.state}`,
    ...wrap(words.reason, width - 2).map((line) => `  ${line}`),
    ...words.log.flatMap((line) => hanging('  │ ', line, width)),
    '',
  ])
}
