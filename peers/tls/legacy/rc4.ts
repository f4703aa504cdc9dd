/**
 * RC4, which OpenSSL 3 as Node has it is built without. Checked against the vectors of RFC 6229. RFC 7465 forbids it in TLS.
 */

export class Rc4 {
  private readonly state = new Uint8Array(256)
  private i = 0
  private j = 0

  /** `key` has 5 to 256 octets. */
  constructor(key: Buffer) {
    const { state } = this
    for (let i = 0; i < 256; i++) state[i] = i
    for (let i = 0, j = 0; i < 256; i++) {
      const held = state[i] as number
      j = (j + held + (key[i % key.length] as number)) & 255
      state[i] = state[j] as number
      state[j] = held
    }
  }

  /** `octets` combined with the next part of the key stream: encrypts and decrypts. */
  update(octets: Buffer): Buffer {
    const { state } = this
    const result = Buffer.allocUnsafe(octets.length)
    let { i, j } = this
    for (let at = 0; at < octets.length; at++) {
      i = (i + 1) & 255
      const a = state[i] as number
      j = (j + a) & 255
      const b = state[j] as number
      state[i] = b
      state[j] = a
      result[at] = (octets[at] as number) ^ (state[(a + b) & 255] as number)
    }
    this.i = i
    this.j = j
    return result
  }
}
