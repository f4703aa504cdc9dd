/**
 * The ladder as a picture, SVG 1.1: time on the left, a vertical line per party, arrows between them.
 *
 * What always holds: cleartext is a thin line, TLS a double line in a shaded band that begins at the upgrade, never told by
 * colour alone; what was tampered with is struck through above what was sent in its place; every text is escaped visible
 * text; no style or script stands in an attribute, so that the strictest CSP shows it. Same ladder, same picture.
 */
import { attribute, text } from '../markup.ts'
import { columns, wrap } from '../text.ts'
import { excerpt, type LeftOut } from './excerpt.ts'
import { ladderTitle, markText, pauseText, proofText, remarks } from './list.ts'
import type { Ladder, LadderRow, Mark, MessageRow, PauseRow, ProofRow } from './rows.ts'

/** Widths and heights in user units; one is a CSS pixel where the picture is shown at its own size. */
const WIDTH = 1070
const CLOCK = 66
const NUMBER = 30
const LINE = 17
/** Advance of the monospaced font at 12 units: 7.22 to 7.25 in those that browsers have. */
const ADVANCE = 7.25
/** Between a lifeline and the text beside it. */
const INSET = 12

/** Where things stand, and what has been drawn so far. */
interface Drawing {
  /** Of each lifeline, left to right. */
  readonly lanes: readonly number[]
  readonly numbered: boolean
  readonly parts: string[]
  /** Arrows are two paths, and times a group: a page has thousands. */
  readonly arrows: { clear: string; secure: string }
  readonly clocks: string[]
  /** Pieces of the lifelines that are dotted, because time was left out. */
  readonly breaks: [from: number, to: number][]
  /** Where TLS is up in a gap: from, to. */
  readonly bands: { readonly gap: number; from: number; to: number }[]
  y: number
}

/** Without a style of its own: for a page that has {@link LADDER_STYLE}. */
export function renderLadderSvg(ladder: Ladder): string {
  const { markup, height } = picture(ladder)
  const label = `${ladderTitle(ladder)}. The list below says the same.`
  return `<svg class="ladder" role="img"${attribute('aria-label', label)} viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}">${markup}</svg>`
}

/** A file of its own, with the verdict as its heading; light or dark as the viewer is. */
export function renderLadderSvgFile(ladder: Ladder): string {
  const { markup, height } = picture(ladder)
  const room = Math.floor((WIDTH - 32) / ADVANCE)
  // The title's font is a sixth larger.
  const lines = [
    ...wrap(ladderTitle(ladder), Math.floor((room * 6) / 7)).map((line) => ['head', line] as const),
    ...wrap(ladder.reason, room).map((line) => ['', line] as const),
  ]
  const top = 24 + lines.length * LINE
  const all = top + height + 12
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" class="ladder file" role="img" viewBox="0 0 ${WIDTH} ${all}" width="${WIDTH}" height="${all}">`,
    `<title>${text(ladderTitle(ladder))}</title>`,
    `<desc>${text(ladder.reason)}</desc>`,
    `<style>${LADDER_COLOURS}${LADDER_STYLE}</style>`,
    `<rect class="paper" width="${WIDTH}" height="${all}"/>`,
    ...lines.map(([style, line], index) => textAt(16, 24 + index * LINE, style, line)),
    `<g transform="translate(0 ${top})">${markup}</g>`,
    '</svg>',
  ].join('\n')}\n`
}

function picture(ladder: Ladder): { readonly markup: string; readonly height: number } {
  const numbered = ladder.rows.some((row) => row.connection > 1)
  const first = CLOCK + (numbered ? NUMBER : 0) + 8
  const last = WIDTH - 20
  const lanes = ladder.lanes.length > 2 ? [first, (first + last) / 2, last] : [first, last]
  const drawing: Drawing = {
    lanes,
    numbered,
    parts: [],
    arrows: { clear: '', secure: '' },
    clocks: [],
    breaks: [],
    bands: [],
    y: 34,
  }
  for (const row of excerpt(ladder.rows)) {
    const from = drawing.y
    draw(row, drawing)
    if (row.kind !== 'left-out') follow(row, drawing, from)
  }
  drawing.y += 8
  const markup = [
    ...drawing.bands.map(({ gap, from, to }) => band(lanes, gap, from, to)),
    ...lanes.map((x) => lifeline(x, drawing)),
    ...laneNames(ladder, lanes),
    ...drawing.parts,
    ...arrows(drawing),
    `<g class="clock">${drawing.clocks.join('')}</g>`,
  ]
  return { markup: markup.join(''), height: drawing.y }
}

/** Bands grow with the rows in which TLS is up; in the row of the upgrade it begins, at its end. */
function follow(row: LadderRow, drawing: Drawing, from: number): void {
  const { lanes, bands, y } = drawing
  const gaps = lanes.length - 1
  for (let gap = 0; gap < gaps; gap++) {
    if (!(gap === 0 ? row.secured.client : row.secured.server)) continue
    const open = bands.find((each) => each.gap === gap && each.to === from)
    if (open === undefined) bands.push({ gap, from, to: y })
    else open.to = y
  }
}

/** The shade, and at both ends a second line: TLS is double also where it ends. */
function band(lanes: readonly number[], gap: number, from: number, to: number): string {
  const x = lanes[gap] ?? 0
  const width = (lanes[gap + 1] ?? x) - x
  const edge = (at: number): string => `M${at} ${from}V${to}`
  return `<rect class="band" x="${x}" y="${from}" width="${width}" height="${to - from}"/><path class="edge" d="${edge(x + 3)}${edge(x + width - 3)}"/>`
}

function lifeline(x: number, { breaks, y }: Drawing): string {
  let from = 26
  let whole = ''
  let dotted = ''
  for (const [start, end] of breaks) {
    whole += `M${x} ${from}V${start}`
    dotted += `M${x} ${start}V${end}`
    from = end
  }
  const rest = `<path class="life" d="${whole}M${x} ${from}V${y}"/>`
  return dotted === '' ? rest : `${rest}<path class="life break" d="${dotted}"/>`
}

function laneNames(ladder: Ladder, lanes: readonly number[]): string[] {
  const room = Math.floor((WIDTH - CLOCK) / lanes.length / ADVANCE)
  return ladder.lanes.map((lane, index) => {
    const x = lanes[index] ?? 0
    const anchor = index === 0 ? 'start' : index === lanes.length - 1 ? 'end' : 'middle'
    const [name = '', more] = wrap(lane, room - 1)
    const at = anchor === 'start' ? x - 4 : anchor === 'end' ? x + 4 : x
    return `<text class="lane" x="${at}" y="18" text-anchor="${anchor}">${text(more === undefined ? name : `${name}…`)}</text>`
  })
}

function draw(row: LadderRow | LeftOut, drawing: Drawing): void {
  switch (row.kind) {
    case 'message':
      drawMessage(row, drawing)
      break
    case 'proof':
      drawProof(row, drawing)
      break
    case 'tls':
      clock(row, drawing)
      note(`${row.span === 'server' ? 'server side: ' : ''}${row.text}`, `tls ${row.state}`, drawing)
      break
    case 'connection':
      clock(row, drawing)
      note(`${row.state === 'open' ? '┌' : '└'} ${row.text}`, 'dim', drawing)
      break
    case 'attempt':
      clock(row, drawing)
      note(row.text, 'strong', drawing)
      break
    case 'look-up':
      clock(row, drawing)
      note(row.text, 'dim', drawing)
      break
    case 'pause':
      drawPause(row, drawing)
      break
    case 'left-out':
      drawBreak(`${row.rows} rows left out`, drawing)
      break
  }
}

function drawMessage(row: MessageRow, drawing: Drawing): void {
  const { lanes, parts } = drawing
  const [from = 0, to = 0] =
    row.span === 'client' ? lanes.slice(0, 2) : row.span === 'server' ? lanes.slice(-2) : [lanes[0], lanes.at(-1)]
  const lines = row.lines.flatMap((line) => wrap(line, Math.floor((to - from - 2 * INSET) / ADVANCE)))
  clock(row, drawing)
  const widest = Math.max(0, ...lines.map(columns)) * ADVANCE
  const x = row.from === 'client' ? from + INSET : Math.max(from + INSET, to - INSET - widest)
  for (const line of lines) parts.push(textAt(x, advance(drawing), row.form === 'opaque' ? 'dim' : '', line))
  if (lines.length === 0) advance(drawing)
  drawing.arrows[row.tls ? 'secure' : 'clear'] += arrow(row, from, to, drawing.y + 4)
  drawing.y += 9
  for (const remark of remarks(row)) {
    const style = row.inPlaceBy === undefined ? 'dim' : 'replaced'
    note(remark, style, drawing, fitting(x, columns(remark) * ADVANCE, drawing))
  }
  for (const mark of row.marks) chip(mark, x, drawing)
}

/** A line with its head at the receiver; double for TLS. All but its start is relative: pages pack that well. */
function arrow(row: MessageRow, from: number, to: number, y: number): string {
  const toServer = row.from === 'client'
  const sign = toServer ? '' : '-'
  const length = round(to - from - 1)
  const start = `M${toServer ? from : to} `
  const shaft = row.tls
    ? `${start}${y - 1.5}h${sign}${length - 5}m0 3h${toServer ? '-' : ''}${length - 5}`
    : `${start}${y}h${sign}${length}`
  const tip = `M${toServer ? to - 1 : from + 1} ${y}`
  return `${shaft}${tip}m${toServer ? '-' : ''}8 -4l${sign}8 4l${toServer ? '-' : ''}8 4`
}

function arrows({ arrows: { clear, secure } }: Drawing): string[] {
  return [
    ...(clear === '' ? [] : [`<path class="arrow" d="${clear}"/>`]),
    ...(secure === '' ? [] : [`<path class="arrow secure" d="${secure}"/>`]),
  ]
}

function drawProof(row: ProofRow, drawing: Drawing): void {
  const { lanes, parts } = drawing
  clock(row, drawing)
  const from = drawing.y
  const style = row.state === 'fired' ? 'fired' : 'dim'
  const at = parts.push('') - 1
  note(proofText(row), style, drawing)
  for (const { text: line, gone } of row.original)
    note(line, gone ? 'gone' : 'kept', drawing, (lanes[0] ?? 0) + INSET + 14)
  if (row.state !== 'fired') return
  const [left = 0] = lanes
  const width = (lanes.at(-1) ?? 0) - left
  parts[at] = `<rect class="attack" x="${left}" y="${from + 1}" width="${width}" height="${drawing.y - from}"/>`
}

function drawPause(row: PauseRow, drawing: Drawing): void {
  drawBreak(`pause of ${pauseText(row.ms)}`, drawing)
}

/** Time, or rows, left out: the lifelines are dotted. */
function drawBreak(label: string, drawing: Drawing): void {
  const { lanes, parts, breaks } = drawing
  const from = drawing.y
  drawing.y += 26
  breaks.push([from, drawing.y])
  const middle = ((lanes[0] ?? 0) + (lanes.at(-1) ?? 0)) / 2
  const zigzag = lanes.map((x) => `M${x - 7} ${from + 15}l5 -5l4 6l5 -5`).join('')
  parts.push(`<path class="zigzag" d="${zigzag}"/>`)
  parts.push(`<text class="pause" x="${middle}" y="${from + 17}" text-anchor="middle">⋮ ${text(label)} ⋮</text>`)
}

/** A text between the first line and the last, in as many lines as it needs. */
function note(content: string, style: string, drawing: Drawing, x = (drawing.lanes[0] ?? 0) + INSET): void {
  const room = Math.floor(((drawing.lanes.at(-1) ?? 0) - x - INSET) / ADVANCE)
  wrap(content, Math.max(20, room)).forEach((line, index) => {
    drawing.parts.push(textAt(x + (index === 0 ? 0 : 14), advance(drawing), style, line))
  })
}

/** A mark, set off from the texts of the wire. */
function chip(mark: Mark, x: number, drawing: Drawing): void {
  const room = Math.max(20, Math.floor(((drawing.lanes.at(-1) ?? 0) - x - INSET - 12) / ADVANCE))
  const widest = Math.max(...wrap(markText(mark), room).map(columns)) * ADVANCE + 12
  const start = fitting(x, widest, drawing)
  for (const line of wrap(markText(mark), room)) {
    const y = advance(drawing)
    drawing.parts.push(
      `<rect class="mark ${mark.kind}" x="${round(start)}" y="${y - 12}" width="${round(columns(line) * ADVANCE + 12)}" height="16" rx="3"/>`,
      textAt(start + 6, y, `mark ${mark.kind}`, line),
    )
  }
}

/** Where something so wide begins: at `x`, or as far left of it as it needs. */
function fitting(x: number, width: number, { lanes }: Drawing): number {
  return Math.min(x, Math.max((lanes[0] ?? 0) + INSET, (lanes.at(-1) ?? 0) - INSET - width))
}

/** The time of a row, and the number of its connection, beside its first line. */
function clock({ at, connection }: LadderRow, { y, numbered, clocks }: Drawing): void {
  const number = numbered && connection > 0 ? `<tspan x="${CLOCK}">#${connection}</tspan>` : ''
  clocks.push(`<text y="${y + 13}">+${(at / 1000).toFixed(3)}${number}</text>`)
}

/** The baseline of the next line. */
function advance(drawing: Drawing): number {
  drawing.y += LINE
  return drawing.y - 4
}

function textAt(x: number, y: number, style: string, content: string): string {
  return `<text${style === '' ? '' : ` class="${style}"`} x="${round(x)}" y="${y}">${text(content)}</text>`
}

function round(number: number): number {
  return Math.round(number * 10) / 10
}

/** The colours of a picture that stands alone; a page has its own of the same names. */
const LADDER_COLOURS =
  '.file{--paper:#fff;--ink:#1c2128;--dim:#59636e;--line:#8b949e;--band:#e3f1ea;--secure:#0f6b43;--bad:#b3152a;--bad-ink:#fff;--warn:#fbe6b5;--warn-ink:#5c3d00;--attack:#efe7fb;--attack-ink:#5b2a9d;--soft:#eaeef2}' +
  '@media(prefers-color-scheme:dark){.file{--paper:#12161c;--ink:#e3e8ee;--dim:#9aa4b0;--line:#6b7682;--band:#12291f;--secure:#5fd39c;--bad:#f2596b;--bad-ink:#14060a;--warn:#4a3a10;--warn-ink:#f6d888;--attack:#2a1d42;--attack-ink:#cdb0ff;--soft:#222a33}}'

/** How a ladder looks, in terms of the colours `--ink`, `--dim`, `--line`, `--band`, `--secure` and so on. */
export const LADDER_STYLE = `
.ladder text{font:12px ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;fill:var(--ink);white-space:pre}
.ladder .paper{fill:var(--paper)}
.ladder text.head{font-size:14px;font-weight:700}
.ladder text.lane,.ladder text.strong{font-weight:700}
.ladder .clock text,.ladder text.dim,.ladder text.kept,.ladder text.pause{fill:var(--dim)}
.ladder text.tls{fill:var(--dim)}
.ladder text.up{fill:var(--secure);font-weight:700}
.ladder text.failed{fill:var(--bad);font-weight:700}
.ladder text.fired,.ladder text.replaced{fill:var(--attack-ink);font-weight:700}
.ladder text.gone{fill:var(--attack-ink);text-decoration:line-through}
.ladder path{fill:none;stroke:var(--line)}
.ladder .life{stroke-width:1.25}
.ladder .break{stroke-dasharray:1.5 4}
.ladder .arrow{stroke:var(--ink);stroke-width:1}
.ladder .secure,.ladder .edge{stroke:var(--secure)}
.ladder .zigzag{stroke:var(--dim);stroke-width:1.25}
.ladder .band{fill:var(--band)}
.ladder .attack{fill:var(--attack)}
.ladder rect.mark{fill:var(--soft)}
.ladder text.mark{font-weight:700;font-size:11.5px}
.ladder rect.leak,.ladder rect.fail{fill:var(--bad)}
.ladder text.mark.leak,.ladder text.mark.fail{fill:var(--bad-ink)}
.ladder rect.flagged{fill:var(--warn)}
.ladder text.mark.flagged{fill:var(--warn-ink)}
`
