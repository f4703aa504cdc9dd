/** Small pieces of markup that all views share. */
import type { Verdict } from '../../scenarios/record.ts'
import { type Headline, sentence } from '../headline.ts'
import { attribute, fragment, text } from '../markup.ts'
import { group } from '../text.ts'
import { tally, VERDICT_LOOKS } from '../verdicts.ts'

/** Glyph and word: `▲ leak`. */
export function verdictChip(verdict: Verdict): string {
  return `<span class="v ${verdict}">${glyph(verdict)} ${verdict}</span>`
}

/** A glyph beside its word is decoration. */
export function glyph(verdict: Verdict): string {
  return `<i aria-hidden="true">${VERDICT_LOOKS[verdict].glyph}</i>`
}

export function link(place: string, markup: string, title?: string): string {
  return `<a${attribute('href', fragment(place))}${title === undefined ? '' : attribute('title', title)}>${markup}</a>`
}

/** Counts of verdicts as a bar of a hundred units; the numbers stand beside it, so it is decoration. */
export function shareBar(cells: readonly { readonly verdict: Verdict }[]): string {
  let x = 0
  const parts = tally(cells).map(([verdict, number]) => {
    const width = (100 * number) / cells.length
    const part = `<rect class="${verdict}" x="${two(x)}" width="${two(width)}" height="4"/>`
    x += width
    return part
  })
  return `<svg class="share" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">${parts.join('')}</svg>`
}

function two(number: number): number {
  return Math.round(number * 100) / 100
}

/** Numbers by verdict: the worst with its word, the others with it for those who hear and not see. */
export function counts(cells: readonly { readonly verdict: Verdict }[]): string {
  return tally(cells)
    .map(
      ([verdict, number], index) =>
        `<span class="n ${verdict}${index === 0 ? ' lead' : ''}" data-v="${verdict}">${glyph(verdict)} <b>${group(number)}</b><span class="word"> ${verdict}</span></span>`,
    )
    .join(' ')
}

/** A table of names and values; values are markup. */
export function facts(rows: readonly (readonly [name: string, markup: string])[]): string {
  return `<dl>${rows.map(([name, markup]) => `<div><dt>${text(name)}</dt><dd>${markup}</dd></div>`).join('')}</dl>`
}

/** A section with a heading, or nothing where it has nothing to say. */
export function section(title: string, style: string, markup: string): string {
  return markup === '' ? '' : `<section class="${style}"><h3>${text(title)}</h3>${markup}</section>`
}

/** `84 s`, `1.2 s`, `340 ms` */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  return ms < 60_000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`
}

/** The sentence of a headline, what matters set off. */
export function headlineMarkup(headline: Headline): string {
  const parts = headline.parts.map((part) => ({ ...part, text: text(part.text) }))
  return sentence({ ...headline, parts }, (strong) => `<strong>${strong}</strong>`)
}
