/** Base 32 with the extended hex alphabet (RFC 4648 §7), as NSEC3 owner names are written (RFC 5155 §1.3). */

/** Without padding, lower case. */
export function base32hex(data: Buffer): string {
  let text = ''
  let [bits, value] = [0, 0]
  for (const octet of data) {
    value = ((value << 8) | octet) & 0xfff
    bits += 8
    for (; bits >= 5; bits -= 5) text += ((value >> (bits - 5)) & 31).toString(32)
  }
  return bits === 0 ? text : text + ((value << (5 - bits)) & 31).toString(32)
}

/** The reverse of {@link base32hex}; undefined for other letters. */
export function fromBase32hex(text: string): Buffer | undefined {
  if (!/^[0-9a-v]*$/i.test(text)) return undefined
  const data: number[] = []
  let [bits, value] = [0, 0]
  for (const letter of text) {
    value = ((value << 5) | Number.parseInt(letter, 32)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    data.push((value >> bits) & 0xff)
  }
  return Buffer.from(data)
}
