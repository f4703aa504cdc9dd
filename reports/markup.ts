/**
 * Texts of strangers in HTML and SVG. Everything that reports put into a page passes through {@link text} or {@link attribute}:
 * both make it visible first, so that no octet of a client becomes markup, hides, or reorders what stands beside it.
 */
import { visible } from './text.ts'

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** As character data. */
export function text(value: string): string {
  return visible(value).replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '')
}

/** As an attribute with its name and a space in front: ` title="…"`. */
export function attribute(name: string, value: string): string {
  return ` ${name}="${text(value)}"`
}

/** A place in the page: as the `id` of an element, and percent-encoded as the fragment of a link to it. */
export function fragment(place: string): string {
  return `#${visible(place).split('/').map(encodeURIComponent).join('/')}`
}
