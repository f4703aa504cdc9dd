/**
 * Text from strangers, made fit to show: what a client or a server sent ends in terminals, XML, Markdown and pages.
 *
 * What always holds: the result of {@link visible} has no control character, no line end, no character that reorders or
 * hides its neighbours, and no lone surrogate. Such a character is shown as a mark, never dropped: a report that hides an
 * octet hides evidence. Every report passes every text of the record or the log through it, whoever wrote the text.
 */

/** Control (Cc), invisible and bidi formatting (Cf), line and paragraph separators, lone surrogates, noncharacters. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Noncharacter_Code_Point}]/gu

/** Most texts are nothing else, and this is told ten times faster than what Unicode has to say of each character. */
const PRINTABLE = /^[ -~]*$/

/** C0 controls as control pictures (`␛`), DEL as `␡`, everything else unsafe as its code point (`‹U+202E›`). */
export function visible(text: string): string {
  if (PRINTABLE.test(text)) return text
  return text.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0
    if (code < 0x20) return String.fromCodePoint(0x2400 + code)
    if (code === 0x7f) return '␡'
    return `‹U+${code.toString(16).toUpperCase().padStart(4, '0')}›`
  })
}

/** Octets as one visible line: UTF-8 where they are, otherwise each octet above 0x7E as `‹9b›`. */
export function visibleOctets(octets: Buffer): string {
  try {
    return visible(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets))
  } catch {
    return visible(octets.toString('latin1')).replace(
      /‹U\+00([0-9A-F]{2})›|[\u0080-\u00ff]/g,
      (character, code: string | undefined) => `‹${code?.toLowerCase() ?? character.charCodeAt(0).toString(16)}›`,
    )
  }
}

/**
 * JSON that is safe to show and to embed: the same value as JSON.stringify gives, with every unsafe character as `\uXXXX`
 * and with no `</` or `<!` that could end a script element. It is also a YAML 1.2 flow scalar or collection.
 */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent)
    .replace(/<(?=[/!])/g, '\\u003c')
    .replace(UNSAFE, (character) => (character === '\n' ? character : escapedUnits(character)))
}

function escapedUnits(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}

const WIDE =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u

/** Columns that a visible text takes in a terminal: wide characters two, combining marks none. */
export function columns(text: string): number {
  if (PRINTABLE.test(text)) return text.length
  let width = 0
  for (const character of text)
    width += character <= '~' ? 1 : /\p{M}/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return width
}

/** Padded with spaces on the right to at least `width` columns. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columns(text)))
}

/** Broken into lines of at most `width` columns (1 or more), at spaces where there are any. At least one line. */
export function wrap(text: string, width: number): string[] {
  if (columns(text) <= width) return [text.trimEnd()]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/(?<= )/)) {
    if (columns(line + word.trimEnd()) > width && line !== '') {
      lines.push(line.trimEnd())
      line = ''
    }
    for (const piece of cut(word, width)) {
      if (line !== '' && columns(line + piece.trimEnd()) > width) {
        lines.push(line)
        line = ''
      }
      line += piece
    }
  }
  lines.push(line.trimEnd())
  return lines
}

/** A word that is longer than a line in pieces that are not. */
function cut(word: string, width: number): string[] {
  if (columns(word.trimEnd()) <= width) return [word]
  const pieces: string[] = []
  let piece = ''
  for (const character of word) {
    if (columns(piece + character) > width) {
      pieces.push(piece)
      piece = ''
    }
    piece += character
  }
  return [...pieces, piece]
}

/** At most `length` characters; what is cut is counted. */
export function clip(text: string, length: number): string {
  if (text.length <= length) return text
  const characters = [...text]
  if (characters.length <= length) return text
  return `${characters.slice(0, length).join('')}… [${group(characters.length - length)} more]`
}

/** `1 scenario`, `2 scenarios`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${group(number)} ${number === 1 ? noun : plural}`
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(items: readonly string[]): string {
  if (items.length < 2) return items.join('')
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
}

/** With thousands set apart: `12,345`. */
export function group(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Where something of a cell happened: at one of its hosts, or in DNS, which all of them share (`*`). */
export function placeOf(host: string): string {
  return host === '*' ? 'in DNS' : `at ${host}`
}
