/**
 * Repeatable randomness: the same seed and labels give the same numbers on every machine. The generator is
 * xoshiro128** (Blackman and Vigna, 2018), its 128 bits of state are the head of SHA-256 over the seed and the
 * labels, so that streams with different labels have nothing in common. Not for keys.
 */
import { createHash } from 'node:crypto'

/**
 * A stream of numbers, uniform in [0, 1) with 32 bits of resolution.
 *
 * `labels` name the stream (cell, peer, behaviour, visit, …); how they are split matters: `('a', 'b')` is not `('ab')`.
 */
export function seeded(seed: number, ...labels: readonly string[]): () => number {
  let state: Uint32Array | undefined
  return () => {
    state ??= stateOf(seed, labels)
    return next(state) / 2 ** 32
  }
}

/** Made at the first draw: most streams of a session are never drawn from. */
function stateOf(seed: number, labels: readonly string[]): Uint32Array {
  const digest = createHash('sha256')
    .update(JSON.stringify([seed, ...labels]))
    .digest()
  return new Uint32Array([0, 4, 8, 12].map((at) => digest.readUInt32LE(at)))
}

/** `length` characters of [a-z0-9], drawn from `random`; each character holds 5.2 bits. */
export function word(random: () => number, length: number): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
  return Array.from({ length }, () => letters.charAt(Math.floor(random() * letters.length))).join('')
}

/** `length` octets, drawn from `random`. */
export function octets(random: () => number, length: number): Buffer {
  const drawn = Buffer.allocUnsafe(length)
  for (let at = 0; at < length; at++) drawn[at] = Math.floor(random() * 256)
  return drawn
}

function next(state: Uint32Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = state
  const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
  const third = c ^ a
  const fourth = d ^ b
  state[0] = a ^ fourth
  state[1] = b ^ third
  state[2] = third ^ (b << 9)
  state[3] = rotate(fourth, 11)
  return result
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by))
}
