/**
 * Writing DER (X.690), for what no library agrees to write: names with NUL octets, constraints that overflow decoders,
 * keys that do not belong together.
 *
 * Nothing is checked: the caller says the tag and the octets. Lengths are always definite and minimal.
 */

/** One element: tag octet, length, content. */
export function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  return Buffer.concat([Buffer.from([tag]), lengthOctets(body.length), body])
}

function lengthOctets(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const octets: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  return Buffer.from([0x80 | octets.length, ...octets])
}

export function sequence(...content: readonly Uint8Array[]): Buffer {
  return der(0x30, ...content)
}

/** An object identifier in dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const octets = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc % 128]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left % 128) | 0x80)
    return groups
  })
  return der(0x06, Buffer.from(octets))
}

/** A non-negative integer, big-endian octets. */
export function unsigned(octets: Uint8Array): Buffer {
  const start = octets.findIndex((octet) => octet !== 0)
  const digits = start < 0 ? Buffer.from([0]) : Buffer.from(octets.subarray(start))
  return der(0x02, (digits[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.from([0]), digits]) : digits)
}

export function octetString(content: Uint8Array): Buffer {
  return der(0x04, content)
}

/** A bit string of whole octets. */
export function bitString(content: Uint8Array): Buffer {
  return der(0x03, Buffer.from([0]), content)
}

export function enumerated(value: number): Buffer {
  return der(0x0a, Buffer.from([value]))
}

/** The time of a certificate or a CRL: UTCTime through 2049, GeneralizedTime after it (RFC 5280 §4.1.2.5). */
export function time(date: Date): Buffer {
  const long = generalizedTime(date)
  return date.getUTCFullYear() < 2050 ? der(0x17, long.subarray(4)) : long
}

/** GeneralizedTime in UTC, to the second (RFC 5280 §4.1.2.5.2). */
export function generalizedTime(date: Date): Buffer {
  return der(0x18, Buffer.from(`${date.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`, 'latin1'))
}

/** A context-specific, constructed element: an explicit tag, or an implicit one over a sequence. */
export function context(number: number, ...content: readonly Uint8Array[]): Buffer {
  return der(0xa0 | number, ...content)
}

/** PEM (RFC 7468). */
export function pem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
