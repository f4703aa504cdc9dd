/**
 * The ladder for a terminal or a bug report: time on the left, a vertical line per party, arrows between them.
 *
 * What always holds: cleartext is single (`│ ─ →`), TLS is double (`║ ═ ⇒`), never told by colour alone; no line is wider
 * than asked (less than 72 columns is taken as 72) but for the command that reproduces the cell.
 */
import { lettersOf } from '../letters.ts'
import { type Paint, painter } from '../style.ts'
import { columns, padEnd, wrap } from '../text.ts'
import { labelled, VERDICT_LOOKS } from '../verdicts.ts'
import { markText, pauseText, proofText, remarks } from './list.ts'
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

function header(ladder: Ladder, width: number, paint: Paint): string[] {
  const label = labelled(ladder.verdict)
  const painted = paint(VERDICT_LOOKS[ladder.verdict].colour, paint('bold', label))
  const legend = lettersOf(ladder.expected)
    .map(([letter, meaning]) => `${letter} = ${meaning}`)
    .join(', ')
  const fields: readonly (readonly [string, string])[] = [
    ['expected', `${ladder.expected}${legend === '' ? '' : ` (${legend})`}`],
    ['observed', ladder.observed],
    ...(ladder.clause === undefined ? [] : [['source', ladder.clause] as const]),
    ...(ladder.timeScale === 1 ? [] : [['time', `delays and deadlines divided by ${ladder.timeScale}`] as const]),
  ]
  return [
    ...hanging(`${label}  `, `${ladder.scenario}, ${ladder.policy}, ${ladder.client}`, width).map((line) =>
      line.replace(label, painted),
    ),
    ...wrap(`${ladder.title} (${ladder.severity})`, width),
    ...wrap(ladder.reason, width).map((line) => paint('bold', line)),
    ...fields.flatMap(([name, text]) => hanging(`${padEnd(name, 9)} `, text, width)),
    ...ladder.findings.flatMap((mark) => wrap(markText(mark), width).map((line) => paint(markColour(mark), line))),
  ]
}

/** A text behind a label, its further lines indented below it. */
function hanging(label: string, text: string, width: number): string[] {
  return wrap(text, width - columns(label)).map(
    (line, index) => (index === 0 ? label : ' '.repeat(columns(label))) + line,
  )
}

function laneNames(ladder: Ladder, { gaps, margin, area, paint }: Drawing): string {
  const third = Math.floor(area / 3)
  const room = ladder.lanes.length > 2 ? [third, third, third] : [third, area - third]
  const [client = '', middle = '', server] = ladder.lanes.map((lane, index) => shortened(lane, room[index] ?? third))
  const last = server ?? middle
  const crossing = 1 + (gaps[0] ?? 0) - Math.floor(columns(middle) / 2)
  const start = server === undefined ? client : padEnd(client, Math.max(columns(client) + 1, crossing)) + middle
  return (
    ' '.repeat(margin) +
    paint('bold', `${padEnd(start, Math.max(columns(start) + 1, area + 2 - columns(last)))}${last}`)
  )
}

function shortened(text: string, width: number): string {
  return columns(text) <= width ? text : `${wrap(text, width - 1)[0] ?? ''}…`
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
    case 'look-up':
      return note(row, row.text, drawing, (text) => drawing.paint('dim', text))
    case 'pause': {
      const room = Math.max(0, (drawing.area - 10) >> 1)
      return [`${' '.repeat(drawing.margin)}⋮${' '.repeat(room)}⋮ ${pauseText(row.ms)}`]
    }
  }
}

function drawMessage(row: MessageRow, drawing: Drawing): string[] {
  const { gaps, paint, area } = drawing
  const width = row.span === 'both' ? area : (gaps[row.span === 'client' ? 0 : 1] ?? area)
  const texts = row.lines.flatMap((line) => wrap(line, width - 6))
  const block = Math.max(0, ...texts.map(columns))
  const lines = texts.map((text, index) => {
    const arrow =
      row.from === 'client' ? forward(row, text, width, index === 0) : backward(row, text, width, index === 0, block)
    return `${index === 0 ? clock(row, drawing) : ' '.repeat(drawing.margin)}${lifelines(row, arrow, gaps)}`
  })
  return [
    ...lines,
    ...remarks(row).flatMap((text) => note(row, `  ${text}`, drawing, (line) => paint('dim', line), false)),
    ...row.marks.flatMap((mark) =>
      note(row, `  ${markText(mark)}`, drawing, (line) => paint(markColour(mark), line), false),
    ),
  ]
}

/** A text of the client and, on the first line, its arrow to the right. */
function forward(row: MessageRow, text: string, width: number, headed: boolean): string {
  const start = ` ${text} `
  const room = Math.max(0, width - columns(start) - 1)
  return headed ? `${start}${(row.tls ? '═' : '─').repeat(room)}${row.tls ? '⇒' : '→'}` : padEnd(start, width)
}

/** The same from the right; the lines of a text are one block. */
function backward(row: MessageRow, text: string, width: number, headed: boolean, block: number): string {
  const end = ` ${padEnd(text, block)} `
  const room = Math.max(0, width - columns(end) - 1)
  return headed ? `${row.tls ? '⇐' : '←'}${(row.tls ? '═' : '─').repeat(room)}${end}` : ' '.repeat(room + 1) + end
}

/** The arrow between the lines of the parties; a line is double where TLS ends at it. */
function lifelines(row: MessageRow, arrow: string, gaps: readonly number[]): string {
  const [near = 0, far] = gaps
  const first = row.secured.client ? '║' : '│'
  if (far === undefined) return first + arrow + first
  const last = row.secured.server ? '║' : '│'
  const either = row.secured.client || row.secured.server
  const middle = either ? '║' : '│'
  if (row.span === 'client') return first + arrow + middle + ' '.repeat(far) + last
  if (row.span === 'server') return first + ' '.repeat(near) + middle + arrow + last
  return first + crossed(arrow, near, middle, either ? '╬' : '┼') + last
}

/** A message across both gaps: it covers the middle line where its text is, and shows it elsewhere. */
function crossed(arrow: string, at: number, line: string, crossing: string): string {
  const characters = [...arrow]
  const around = characters.slice(at - 1, at + 2).join('')
  if (characters.length !== columns(arrow)) return arrow
  if (/^[─═]{3}$/.test(around)) characters[at] = crossing
  else if (around === '   ') characters[at] = line
  return characters.join('')
}

function drawProof(row: ProofRow, drawing: Drawing): string[] {
  const { paint } = drawing
  const bold = row.state === 'fired' ? 'bold' : 'dim'
  return [
    ...note(row, proofText(row), drawing, (text) => paint(bold, text)),
    ...row.original.flatMap(({ text, gone }) =>
      note(
        row,
        `  ${gone ? '✂ was: ' : '  kept: '}${text}`,
        drawing,
        (line) => paint(gone ? 'struck' : 'dim', line),
        false,
      ),
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
  const time = clockText(row.at)
  const number = numbered && row.connection > 0 ? `#${row.connection}` : ''
  return paint('dim', padEnd(`${padEnd(time, CLOCK)}${number}`, margin))
}

function clockText(ms: number): string {
  return `+${(ms / 1000).toFixed(3)}`
}

function markColour(mark: Mark): 'red' | 'yellow' | 'dim' {
  if (mark.kind === 'leak' || mark.kind === 'fail') return 'red'
  return mark.kind === 'flagged' ? 'yellow' : 'dim'
}

function said(ladder: Ladder, width: number): string[] {
  const resolver = ladder.resolver.flatMap((line) => hanging('  │ ', line, width))
  const words = ladder.words.flatMap((words) => [
    `The client said, attempt ${words.attempt}: ${words.state}`,
    ...wrap(words.reason, width - 2).map((line) => `  ${line}`),
    ...words.log.flatMap(({ text, at }) => hanging(at === undefined ? '  │ ' : `  │ ${clockText(at)} `, text, width)),
    '',
  ])
  return resolver.length === 0 ? words : [...words, 'The resolver said:', ...resolver, '']
}
