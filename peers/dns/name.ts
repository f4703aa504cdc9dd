/**
 * Domain names (RFC 1035 §3.1, RFC 4343): text in programs, octets on the wire.
 *
 * A {@link Name} is absolute and has no dot at its end; the root is `.`. Its case is kept. Octets that mean something
 * in a master file, and those that cannot be printed, stand as `\DDD`, the dot and the backslash too: so every dot in a
 * Name parts two labels, and names can be cut and compared as text. {@link parseName} makes one of what people write.
 */

/** Absolute, normalised text as {@link parseName} and {@link readName} return it. */
export type Name = string

export const ROOT: Name = '.'

/** Octets of a label (RFC 1035 §2.3.4). */
const LONGEST_LABEL = 63
/** Octets of a name on the wire, the root's length octet counted (RFC 1035 §2.3.4). */
const LONGEST_NAME = 255

/** Octets that are no DNS message, or no rdata of their type. */
export class DnsFormatError extends Error {
  override readonly name = 'DnsFormatError'
  readonly code = 'dns-format'
}

/** A name or record that cannot be put into a zone: its author's to mend. */
export class ZoneError extends Error {
  override readonly name = 'ZoneError'
  readonly code = 'zone'
}

/**
 * A name as people write it: a dot at the end or not, `\.` and `\DDD` (RFC 1035 §5.1); `@` is not known here.
 *
 * @throws {ZoneError} on empty or long labels, long names and broken escapes.
 */
export function parseName(text: string): Name {
  if (text === ROOT) return ROOT
  if (text === '') throw new ZoneError('a name is empty: the root is written "."')
  const labels: string[] = []
  let label = ''
  const end = (): void => {
    if (label === '') throw new ZoneError(`the name ${JSON.stringify(text)} has an empty label`)
    labels.push(label)
    label = ''
  }
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '.') {
      end()
      continue
    }
    if (character !== '\\') {
      label += character
      continue
    }
    const decimal = /^\d{3}/.exec(text.slice(at + 1, at + 4))?.[0]
    const octet = decimal === undefined ? text.charCodeAt(at + 1) : Number(decimal)
    if (!(octet <= 255)) throw new ZoneError(`the name ${JSON.stringify(text)} has a broken escape at ${at}`)
    label += String.fromCharCode(octet)
    at += decimal === undefined ? 1 : 3
  }
  if (label !== '') end()
  return nameOf(labels, text)
}

/** Joins labels of raw octets (latin1), the leftmost first. @throws {ZoneError} as {@link parseName}. */
export function nameOf(labels: readonly string[], written = labels.join('.')): Name {
  let length = 1
  for (const label of labels) {
    // A code unit beyond 255 is no octet: internationalised names are written in their ASCII form (RFC 5890).
    if ([...label].some((character) => character.charCodeAt(0) > 255))
      throw new ZoneError(
        `the name ${JSON.stringify(written)} has letters beyond one octet: write its ASCII form, xn--…`,
      )
    if (label.length > LONGEST_LABEL || label.length === 0)
      throw new ZoneError(`the name ${JSON.stringify(written)} has a label of ${label.length} octets, want 1 to 63`)
    length += label.length + 1
  }
  if (length > LONGEST_NAME)
    throw new ZoneError(`the name ${JSON.stringify(written)} has ${length} octets, want 255 at most`)
  return labels.length === 0 ? ROOT : labels.map(escapeLabel).join('.')
}

/** The labels as raw octets (latin1), the leftmost first; none for the root. */
export function labelsOf(name: Name): string[] {
  if (name === ROOT) return []
  const labels = name.split('.')
  return name.includes('\\') ? labels.map(unescapeLabel) : labels
}

/** How many labels `name` has; the root has none. */
export function countLabels(name: Name): number {
  if (name === ROOT) return 0
  let count = 1
  for (let at = name.indexOf('.'); at !== -1; at = name.indexOf('.', at + 1)) count++
  return count
}

/** Lower case, as names are compared and signed (RFC 4343 §3, RFC 4034 §6.2). */
export function canonical(name: Name): Name {
  return name.toLowerCase()
}

/** The name without its leftmost label; the root's parent is the root. */
export function parentOf(name: Name): Name {
  const dot = name.indexOf('.')
  return dot === -1 || dot === name.length - 1 ? ROOT : name.slice(dot + 1)
}

/** `label` (already escaped) in front of `name`. */
export function childOf(name: Name, label: string): Name {
  return name === ROOT ? label : `${label}.${name}`
}

/** Whether `name` is `ancestor` or below it. Both canonical, or both as written alike. */
export function isWithin(name: Name, ancestor: Name): boolean {
  if (ancestor === ROOT || name === ancestor) return true
  return name.endsWith(ancestor) && name.at(-(ancestor.length + 1)) === '.'
}

/** The last `count` labels of `name`. */
export function lastLabels(name: Name, count: number): Name {
  if (count === 0 || name === ROOT) return ROOT
  let at = name.length
  for (let left = count; left > 0; left--) {
    at = name.lastIndexOf('.', at - 1)
    if (at === -1) return name
  }
  return name.slice(at + 1)
}

/**
 * A text that sorts as the names do in canonical order (RFC 4034 §6.1): by label from the right, each as lower-case
 * octets, what ends first sorts first.
 */
export function sortKey(name: Name): string {
  const shift = (label: string): string =>
    String.fromCharCode(...Array.from(label, (character) => character.charCodeAt(0) + 1))
  return labelsOf(canonical(name)).reverse().map(shift).join('\0')
}

/** The name on the wire, uncompressed; case as it is. */
export function wireName(name: Name): Buffer {
  const labels = labelsOf(name)
  const octets = Buffer.alloc(labels.reduce((sum, label) => sum + label.length + 1, 1))
  let at = 0
  for (const label of labels) {
    octets[at] = label.length
    at += 1 + octets.write(label, at + 1, 'latin1')
  }
  return octets
}

/**
 * Reads a name at `at`, following compression (RFC 1035 §4.1.4). A pointer must point before the name that holds it, so
 * reading always ends.
 *
 * @throws {DnsFormatError}
 */
export function readName(message: Buffer, at: number): { readonly name: Name; readonly next: number } {
  let name = ''
  let length = 1
  let cursor = at
  let before = at
  let next = -1
  for (;;) {
    const octet = message[cursor]
    if (octet === undefined) throw new DnsFormatError(`a name runs over the end at ${cursor}`)
    if (octet === 0) break
    if (octet >= 0xc0) {
      const low = message[cursor + 1]
      if (low === undefined) throw new DnsFormatError(`a pointer runs over the end at ${cursor}`)
      const target = ((octet & 0x3f) << 8) | low
      if (target >= before) throw new DnsFormatError(`a pointer at ${cursor} does not point back`)
      if (next === -1) next = cursor + 2
      cursor = target
      before = target
      continue
    }
    if (octet > LONGEST_LABEL) throw new DnsFormatError(`a label of an unknown kind at ${cursor}`)
    const end = cursor + 1 + octet
    if (end > message.length) throw new DnsFormatError(`a label runs over the end at ${cursor}`)
    length += octet + 1
    if (length > LONGEST_NAME) throw new DnsFormatError(`a name of more than 255 octets at ${at}`)
    const label = escapeLabel(message.toString('latin1', cursor + 1, end))
    name = name === '' ? label : `${name}.${label}`
    cursor = end
  }
  return { name: name === '' ? ROOT : name, next: next === -1 ? cursor + 1 : next }
}

function escapeLabel(label: string): string {
  if (/^[A-Za-z0-9_*-]+$/.test(label)) return label
  return label.replace(/[^!#%&'*+,\-/0-9:<=>?A-Z[\]^_`a-z{|}~]/g, (octet) => {
    return `\\${String(octet.charCodeAt(0)).padStart(3, '0')}`
  })
}

function unescapeLabel(label: string): string {
  return label.replace(/\\(\d{3})/g, (_, decimal: string) => String.fromCharCode(Number(decimal)))
}
