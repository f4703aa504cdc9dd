/** A growing DNS message, with name compression (RFC 1035 §4.1.4). */
import { labelsOf, type Name, parentOf, ROOT } from './name.ts'

/** Where a pointer can still point (14 bits). */
const LAST_POINTER = 0x3fff

export class MessageWriter {
  private octets: Buffer
  private readonly seen = new Map<Name, number>()
  /** Octets written. */
  length = 0

  constructor(size = 512) {
    this.octets = Buffer.allocUnsafe(size)
  }

  u8(value: number): void {
    this.reserve(1)
    this.octets[this.length] = value
    this.length += 1
  }

  u16(value: number): void {
    this.reserve(2)
    this.octets.writeUInt16BE(value & 0xffff, this.length)
    this.length += 2
  }

  u32(value: number): void {
    this.reserve(4)
    this.octets.writeUInt32BE(value >>> 0, this.length)
    this.length += 4
  }

  bytes(data: Buffer): void {
    this.reserve(data.length)
    data.copy(this.octets, this.length)
    this.length += data.length
  }

  /** Suffixes that stand in the message in the same case are pointed at; case is never lost to compression. */
  name(name: Name, compress = true): void {
    for (let rest = name; rest !== ROOT; rest = parentOf(rest)) {
      const at = compress ? this.seen.get(rest) : undefined
      if (at !== undefined) {
        this.u16(0xc000 | at)
        return
      }
      if (compress && this.length <= LAST_POINTER) this.seen.set(rest, this.length)
      const dot = rest.indexOf('.')
      const text = dot === -1 ? rest : rest.slice(0, dot)
      this.label(text.includes('\\') ? (labelsOf(text)[0] ?? '') : text)
    }
    this.u8(0)
  }

  private label(label: string): void {
    this.reserve(label.length + 1)
    this.octets[this.length] = label.length
    this.length += 1
    // By hand: for a few octets that is quicker than the encoder.
    for (let at = 0; at < label.length; at++) this.octets[this.length + at] = label.charCodeAt(at)
    this.length += label.length
  }

  /** Leaves two octets for the length of what `write` writes. */
  sized(write: () => void): void {
    const at = this.length
    this.u16(0)
    write()
    this.octets.writeUInt16BE(this.length - at - 2, at)
  }

  /** The message so far; a view, not a copy. */
  finish(): Buffer {
    return this.octets.subarray(0, this.length)
  }

  private reserve(count: number): void {
    if (this.length + count <= this.octets.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.octets.length * 2, this.length + count))
    this.octets.copy(larger, 0, 0, this.length)
    this.octets = larger
  }
}
