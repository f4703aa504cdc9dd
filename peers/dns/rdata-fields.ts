/** The kinds of fields that record data is made of, and how each is read from the wire and written to it. */
import { isIPv4, isIPv6 } from 'node:net'
import { DnsFormatError, type Name, readName, wireName, ZoneError } from './name.ts'

/** How a field stands on the wire, and what it is in a program. */
export interface Kinds {
  u8: number
  u16: number
  u32: number
  /** A point in time, seconds since 1970 modulo 2^32 (RFC 4034 §3.1.5). */
  time: number
  /** The number of a record type. */
  type: number
  /** May be compressed when written: the types of RFC 1035 only (RFC 3597 §4). */
  compressible: Name
  name: Name
  ipv4: string
  ipv6: string
  /** Character-strings up to the end, latin1. */
  strings: readonly string[]
  /** An octet of length, then so many octets. */
  salt: Buffer
  hash: Buffer
  hex: Buffer
  base64: Buffer
  /** Numbers of types, ascending. */
  bitmap: readonly number[]
}
export type Kind = keyof Kinds

export function isName(kind: Kind): boolean {
  return kind === 'name' || kind === 'compressible'
}

interface Read<Value> {
  readonly value: Value
  readonly next: number
}

function octets(message: Buffer, at: number, count: number, end: number): Buffer {
  if (at + count > end) throw new DnsFormatError(`${count} octets wanted at ${at}, ${Math.max(0, end - at)} are left`)
  return message.subarray(at, at + count)
}

const number =
  (count: number) =>
  (message: Buffer, at: number, end: number): Read<number> => ({
    value: octets(message, at, count, end).readUIntBE(0, count),
    next: at + count,
  })

function readAName(message: Buffer, at: number, end: number): Read<Name> {
  const { name, next } = readName(message, at)
  if (next > end) throw new DnsFormatError(`a name runs over its record at ${at}`)
  return { value: name, next }
}

function readRest(message: Buffer, at: number, end: number): Read<Buffer> {
  return { value: octets(message, at, Math.max(0, end - at), end), next: end }
}

function readCounted(message: Buffer, at: number, end: number): Read<Buffer> {
  const [length = 0] = octets(message, at, 1, end)
  return { value: octets(message, at + 1, length, end), next: at + 1 + length }
}

function readStrings(message: Buffer, at: number, end: number): Read<readonly string[]> {
  const value: string[] = []
  for (let cursor = at; cursor < end; ) {
    const read = readCounted(message, cursor, end)
    value.push(read.value.toString('latin1'))
    cursor = read.next
  }
  return { value, next: end }
}

/** RFC 4034 §4.1.2. */
function readBitmap(message: Buffer, at: number, end: number): Read<readonly number[]> {
  const value: number[] = []
  for (let cursor = at; cursor < end; ) {
    const [window = 0, length = 0] = octets(message, cursor, 2, end)
    octets(message, cursor + 2, length, end).forEach((octet, index) => {
      for (let bit = 0; bit < 8; bit++) if (octet & (0x80 >> bit)) value.push(window * 256 + index * 8 + bit)
    })
    cursor += 2 + length
  }
  return { value, next: end }
}

function readIpv6(message: Buffer, at: number, end: number): Read<string> {
  const groups = Array.from({ length: 8 }, (_, index) =>
    octets(message, at, 16, end)
      .readUInt16BE(index * 2)
      .toString(16),
  )
  return { value: shorten(groups), next: at + 16 }
}

/** RFC 5952 §4.2: the longest run of two or more zero groups becomes `::`. */
function shorten(groups: readonly string[]): string {
  let [start, longest] = [0, 1]
  for (let at = 0; at < 8; at++) {
    let length = 0
    while (groups[at + length] === '0') length++
    if (length > longest) [start, longest] = [at, length]
  }
  if (longest < 2) return groups.join(':')
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + longest).join(':')}`
}

/** What stands at `at`; `end` is where the record ends. @throws {DnsFormatError} */
export const READ: { readonly [K in Kind]: (message: Buffer, at: number, end: number) => Read<Kinds[K]> } = {
  u8: number(1),
  u16: number(2),
  u32: number(4),
  time: number(4),
  type: number(2),
  compressible: readAName,
  name: readAName,
  ipv4: (message, at, end) => ({ value: [...octets(message, at, 4, end)].join('.'), next: at + 4 }),
  ipv6: readIpv6,
  strings: readStrings,
  salt: readCounted,
  hash: readCounted,
  hex: readRest,
  base64: readRest,
  bitmap: readBitmap,
}

function fixed(count: number): (value: number) => Buffer {
  return (value) => {
    const data = Buffer.alloc(count)
    data.writeUIntBE(value, 0, count)
    return data
  }
}

function counted(data: Buffer): Buffer {
  if (data.length > 255) throw new ZoneError(`a string of ${data.length} octets, want 255 at most`)
  return Buffer.concat([Buffer.from([data.length]), data])
}

function writeIpv4(value: string): Buffer {
  if (!isIPv4(value)) throw new ZoneError(`${JSON.stringify(value)} is no IPv4 address`)
  return Buffer.from(value.split('.').map(Number))
}

function writeIpv6(value: string): Buffer {
  if (!isIPv6(value) || value.includes('%')) throw new ZoneError(`${JSON.stringify(value)} is no IPv6 address`)
  // An IPv4 address at the end stands for two groups.
  const plain = value.replace(/[\d.]+\.[\d.]+$/, (ipv4) => {
    const data = writeIpv4(ipv4)
    return `${data.readUInt16BE(0).toString(16)}:${data.readUInt16BE(2).toString(16)}`
  })
  const [head = '', tail] = plain.split('::')
  const [before, after] = [head, tail ?? ''].map((part) => (part === '' ? [] : part.split(':')))
  const zeros = tail === undefined ? [] : new Array<string>(8 - (before?.length ?? 0) - (after?.length ?? 0)).fill('0')
  return Buffer.concat(
    [...(before ?? []), ...zeros, ...(after ?? [])].map((group) => fixed(2)(Number.parseInt(group, 16))),
  )
}

function writeBitmap(types: readonly number[]): Buffer {
  const windows = new Map<number, Buffer>()
  for (const type of [...types].sort((a, b) => a - b)) {
    const bits = windows.get(type >> 8) ?? Buffer.alloc(32)
    windows.set(type >> 8, bits)
    const index = (type & 0xff) >> 3
    bits[index] = (bits[index] ?? 0) | (0x80 >> (type & 7))
  }
  return Buffer.concat(
    [...windows].map(([window, bits]) => {
      const length = bits.findLastIndex((octet) => octet !== 0) + 1
      return Buffer.concat([Buffer.from([window, length]), bits.subarray(0, length)])
    }),
  )
}

const writeAName = (name: Name): Buffer => wireName(name)
const asIs = (data: Buffer): Buffer => data

/** The wire form, uncompressed. @throws {ZoneError} or RangeError on a value that the field cannot hold. */
export const WRITE: { readonly [K in Kind]: (value: Kinds[K]) => Buffer } = {
  u8: fixed(1),
  u16: fixed(2),
  u32: fixed(4),
  time: fixed(4),
  type: fixed(2),
  compressible: writeAName,
  name: writeAName,
  ipv4: writeIpv4,
  ipv6: writeIpv6,
  strings: (strings) => Buffer.concat(strings.map((text) => counted(Buffer.from(text, 'latin1')))),
  salt: counted,
  hash: counted,
  hex: asIs,
  base64: asIs,
  bitmap: writeBitmap,
}
