/**
 * Texts of strangers in Markdown (GitHub flavour, CommonMark).
 *
 * What always holds: no text that passes through here becomes markup, a link, a mention or a reference, and none can
 * steer a terminal.
 */
import { count, visible } from './text.ts'

/**
 * All sections, a blank line apart, as long as they fit into `limit` octets of UTF-8 (300 or more); a note counts those
 * that did not.
 */
export function fitted(sections: readonly (readonly string[])[], limit: number): string {
  let text = ''
  let left = 0
  for (const section of sections) {
    const next = `${text === '' ? '' : '\n'}${section.join('\n')}\n`
    if (left > 0 || Buffer.byteLength(text) + Buffer.byteLength(next) > limit - 200) left += 1
    else text += next
  }
  return left === 0 ? text : `${text}\nThis summary is too long for its place: ${count(left, 'section')} left out.\n`
}

/**
 * Text that stays text: visible, every character that Markdown or HTML could take for markup escaped, no URL whole.
 * The empty comments keep GitHub from making a mention of `@name` and a reference of `#1`.
 */
export function escaped(text: string): string {
  return html(text)
    .replace(/^-|[\\*_{}[\]|~$]/g, '\\$&')
    .replace(/`/g, '&#96;')
    .replace(/:\/\//g, '\\://')
    .replace(/www\./gi, (www) => `${www.slice(0, 3)}\\.`)
    .replace(/@|(?<!&)#/g, '$&<!-- -->')
}

/** The same inside an HTML block, where Markdown's escapes mean nothing. */
export function html(text: string): string {
  return visible(text).replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;' })[character] ?? '&gt;')
}

/** A code span, also with backquotes inside (CommonMark 6.1); a bar would end a cell of a table. */
export function code(text: string): string {
  const shown = visible(text)
  const fence = '`'.repeat(1 + Math.max(0, ...[...shown.matchAll(/`+/g)].map((run) => run[0].length)))
  const pad = /^`|`$/.test(shown) ? ' ' : ''
  return `${fence}${pad}${shown}${pad}${fence}`
}
