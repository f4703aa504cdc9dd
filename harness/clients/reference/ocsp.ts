/**
 * Whether an OCSP response says "revoked": just so much DER as finds a SingleResponse whose certStatus is revoked
 * (RFC 6960 §4.2.1). The signature is not looked at: a forged refusal costs a delivery, never its privacy.
 */

const SEQUENCE = 0x30
const OCTET_STRING = 0x04
const REVOKED = 0xa1
const GENERALIZED_TIME = 0x18

interface Element {
  readonly tag: number
  readonly content: Buffer
}

/** True where a SingleResponse says revoked, and where the response cannot be read. */
export function saysRevoked(response: Buffer): boolean {
  const elements = readElements(response)
  return elements === undefined || elements.some(isRevoked)
}

/** SingleResponse ::= SEQUENCE { certID SEQUENCE, certStatus, thisUpdate GeneralizedTime, … }. */
function isRevoked(element: Element): boolean {
  const inner = element.tag & 0x20 || element.tag === OCTET_STRING ? readElements(element.content) : undefined
  if (inner === undefined) return false
  const [id, status, thisUpdate] = inner
  const single = element.tag === SEQUENCE && id?.tag === SEQUENCE && thisUpdate?.tag === GENERALIZED_TIME
  return (single && status?.tag === REVOKED) || inner.some(isRevoked)
}

/** The elements that fill `octets` exactly; undefined when they do not. */
function readElements(octets: Buffer): Element[] | undefined {
  const found: Element[] = []
  for (let at = 0; at < octets.length; ) {
    const tag = octets[at] ?? 0
    const first = octets[at + 1] ?? 0x80
    const extra = first < 0x80 ? 0 : first & 0x7f
    if (first === 0x80 || extra > 4 || at + 2 + extra > octets.length) return undefined
    const length = extra === 0 ? first : octets.readUIntBE(at + 2, extra)
    const begin = at + 2 + extra
    if (begin + length > octets.length) return undefined
    found.push({ tag, content: octets.subarray(begin, begin + length) })
    at = begin + length
  }
  return found
}
