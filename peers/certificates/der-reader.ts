/**
 * Reading DER (X.690) strictly: definite and minimal lengths, one-octet tags, nothing left over.
 *
 * What is read comes from strangers. Every fault of it throws {@link DerError} and nothing else; there is no recursion,
 * so that no depth of nesting can exhaust the stack: callers descend only where they know the structure.
 */

/** The octets are not the DER that they were taken for. */
export class DerError extends Error {
  override readonly name = 'DerError'
}

export interface Element {
  readonly tag: number
  readonly content: Buffer
  /** The whole element: tag, length and content. */
  readonly bytes: Buffer
}

/** The one element that `bytes` are. */
export function readElement(bytes: Buffer): Element {
  const element = elementAt(bytes, 0)
  if (element.bytes.length !== bytes.length)
    throw new DerError(`${bytes.length - element.bytes.length} octets too many`)
  return element
}

/** The elements inside a constructed one. */
export function readChildren(element: Element): Element[] {
  const children: Element[] = []
  for (let offset = 0; offset < element.content.length; ) {
    const child = elementAt(element.content, offset)
    children.push(child)
    offset += child.bytes.length
  }
  return children
}

/** The elements inside `element`, which must have this tag. */
export function readInside(element: Element | undefined, tag: number, what: string): Element[] {
  return readChildren(expect(element, tag, what))
}

/** `element`, which must be there and have this tag. */
export function expect(element: Element | undefined, tag: number, what: string): Element {
  if (element === undefined) throw new DerError(`${what} is missing`)
  if (element.tag !== tag)
    throw new DerError(`${what} has tag 0x${element.tag.toString(16)}, want 0x${tag.toString(16)}`)
  return element
}

function elementAt(bytes: Buffer, start: number): Element {
  const tag = octetAt(bytes, start)
  if ((tag & 0x1f) === 0x1f) throw new DerError('a tag of several octets')
  const first = octetAt(bytes, start + 1)
  let header = 2
  let length = first
  if (first >= 0x80) {
    const count = first & 0x7f
    if (count === 0 || count > 4) throw new DerError('an indefinite or oversized length')
    length = 0
    for (let index = 0; index < count; index++) length = length * 256 + octetAt(bytes, start + 2 + index)
    if (length < 0x80 || octetAt(bytes, start + 2) === 0) throw new DerError('a length that is not minimal')
    header += count
  }
  const end = start + header + length
  if (end > bytes.length) throw new DerError('an element that is cut short')
  return { tag, content: bytes.subarray(start + header, end), bytes: bytes.subarray(start, end) }
}

function octetAt(bytes: Buffer, index: number): number {
  const octet = bytes[index]
  if (octet === undefined) throw new DerError('an element that is cut short')
  return octet
}

/** An object identifier in dotted form. */
export function readOid(element: Element | undefined, what: string): string {
  const { content } = expect(element, 0x06, what)
  if (content.length === 0 || (content.at(-1) ?? 0) >= 0x80) throw new DerError(`${what} is cut short`)
  const arcs: number[] = []
  let arc = 0
  for (const octet of content) {
    if (arc === 0 && octet === 0x80) throw new DerError(`${what} is not minimal`)
    arc = arc * 128 + (octet & 0x7f)
    if (arc > Number.MAX_SAFE_INTEGER / 128) throw new DerError(`${what} is too large`)
    if (octet < 0x80) {
      arcs.push(arc)
      arc = 0
    }
  }
  const [head = 0, ...rest] = arcs
  const first = Math.min(2, Math.floor(head / 40))
  return [first, head - first * 40, ...rest].join('.')
}

export function readBoolean(element: Element | undefined, what: string): boolean {
  const { content } = expect(element, 0x01, what)
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw new DerError(`${what} is no DER boolean`)
  return content[0] === 0xff
}

/** An integer of 0 to 2^31 - 1. */
export function readSmallInteger(element: Element | undefined, what: string): number {
  const { content } = expect(element, 0x02, what)
  if (content.length === 0 || content.length > 4 || (content[0] ?? 0) > 0x7f)
    throw new DerError(`${what} is out of range`)
  return content.readUIntBE(0, content.length)
}

/** UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 allows them, in milliseconds since 1970. */
export function readTime(element: Element | undefined, what: string): number {
  if (element === undefined) throw new DerError(`${what} is missing`)
  const text = element.content.toString('latin1')
  let digits: string
  if (element.tag === 0x17 && /^\d{12}Z$/.test(text)) digits = `${Number(text.slice(0, 2)) >= 50 ? '19' : '20'}${text}`
  else if (element.tag === 0x18 && /^\d{14}Z$/.test(text)) digits = text
  else throw new DerError(`${what} is no time that RFC 5280 allows`)
  const iso = digits.replace(/^(....)(..)(..)(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6.000Z')
  const time = Date.parse(iso)
  if (Number.isNaN(time) || new Date(time).toISOString() !== iso) throw new DerError(`${what} is no date`)
  return time
}
