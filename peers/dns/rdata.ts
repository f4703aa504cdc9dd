/**
 * What is in a record's data, type by type, as one table: from it come reading and writing the wire form, compression,
 * and presentation text (RFC 1035 §5, RFC 3597 §5).
 *
 * In records the data is its uncompressed wire form ({@link ResourceRecord.data} in message.ts), so that unknown types
 * are like any other and what is signed is what is sent. {@link rdata} makes it from fields, {@link fieldsOf} reads
 * them.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { DnsFormatError, type Name, readName, wireName, ZoneError } from './name.ts'
import { TYPE, type TypeName, typeNumber, typeText } from './numbers.ts'
import type { MessageWriter } from './wire.ts'

/** How a field stands on the wire, and what it is in a program. */
interface Kinds {
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
type Kind = keyof Kinds

const FIELDS = {
  A: { address: 'ipv4' },
  NS: { host: 'compressible' },
  CNAME: { target: 'compressible' },
  SOA: {
    primary: 'compressible',
    mailbox: 'compressible',
    serial: 'u32',
    refresh: 'u32',
    retry: 'u32',
    expire: 'u32',
    minimum: 'u32',
  },
  PTR: { target: 'compressible' },
  MX: { preference: 'u16', exchange: 'compressible' },
  TXT: { strings: 'strings' },
  AAAA: { address: 'ipv6' },
  SRV: { priority: 'u16', weight: 'u16', port: 'u16', target: 'name' },
  DNAME: { target: 'name' },
  DS: { keyTag: 'u16', algorithm: 'u8', digestType: 'u8', digest: 'hex' },
  RRSIG: {
    typeCovered: 'type',
    algorithm: 'u8',
    labels: 'u8',
    originalTtl: 'u32',
    expiration: 'time',
    inception: 'time',
    keyTag: 'u16',
    signer: 'name',
    signature: 'base64',
  },
  NSEC: { next: 'name', types: 'bitmap' },
  DNSKEY: { flags: 'u16', protocol: 'u8', algorithm: 'u8', key: 'base64' },
  NSEC3: { algorithm: 'u8', flags: 'u8', iterations: 'u16', salt: 'salt', next: 'hash', types: 'bitmap' },
  NSEC3PARAM: { algorithm: 'u8', flags: 'u8', iterations: 'u16', salt: 'salt' },
  TLSA: { usage: 'u8', selector: 'u8', matchingType: 'u8', association: 'hex' },
} as const satisfies Partial<Record<TypeName, Readonly<Record<string, Kind>>>>

/** The types whose data is known field by field. */
export type KnownType = keyof typeof FIELDS

type FieldsIn<Shape> = { readonly [Key in keyof Shape]: Shape[Key] extends Kind ? Kinds[Shape[Key]] : never }
/** The fields of a type: `Rdata<'MX'>` is `{ preference, exchange }`. */
export type Rdata<Type extends KnownType> = FieldsIn<(typeof FIELDS)[Type]>

type Layout = readonly (readonly [field: string, kind: Kind])[]

const LAYOUTS: ReadonlyMap<number, Layout> = new Map(
  Object.entries(FIELDS).map(([name, fields]) => [TYPE[name as KnownType], Object.entries(fields) as Layout]),
)

/** The wire form of `fields`, uncompressed. @throws {ZoneError} on a value that its field cannot hold. */
export function rdata<Type extends KnownType>(type: Type, fields: Rdata<Type>): Buffer {
  const values = fields as Readonly<Record<string, unknown>>
  return Buffer.concat(
    Object.entries<Kind>(FIELDS[type]).map(([field, kind]) => {
      try {
        return WRITE[kind](values[field] as never)
      } catch (error) {
        if (error instanceof ZoneError) throw error
        throw new ZoneError(`${type}: ${field} cannot be ${String(values[field])}`)
      }
    }),
  )
}

/** Reads data that {@link rdata} made, or that came in a message. @throws {DnsFormatError} */
export function fieldsOf<Type extends KnownType>(type: Type, data: Buffer): Rdata<Type> {
  const fields: Record<string, unknown> = {}
  let at = 0
  for (const [field, kind] of Object.entries<Kind>(FIELDS[type])) {
    const read = READ[kind](data, at, data.length)
    fields[field] = read.value
    at = read.next
  }
  if (at !== data.length) throw new DnsFormatError(`${data.length - at} octets too many in ${type}`)
  return fields as Rdata<Type>
}

/** Uncompressed data out of a message, octets `at` to `end`. @throws {DnsFormatError} where it is none of its type. */
export function readRdata(type: number, message: Buffer, at: number, end: number): Buffer {
  const layout = LAYOUTS.get(type)
  if (layout === undefined) return Buffer.from(message.subarray(at, end))
  const parts: Buffer[] = []
  let cursor = at
  for (const [, kind] of layout) {
    if (isName(kind)) {
      const { name, next } = readName(message, cursor)
      parts.push(wireName(name))
      cursor = next
    } else {
      const { next } = READ[kind](message, cursor, end)
      parts.push(message.subarray(cursor, next))
      cursor = next
    }
  }
  if (cursor !== end) throw new DnsFormatError(`the length of ${typeText(type)} does not fit its content`)
  return Buffer.concat(parts)
}

/** Writes data into a message, compressing the names that may be. */
export function writeRdata(writer: MessageWriter, type: number, data: Buffer): void {
  const layout = LAYOUTS.get(type)
  if (layout === undefined || !layout.some(([, kind]) => kind === 'compressible')) {
    writer.bytes(data)
    return
  }
  let at = 0
  for (const [, kind] of layout) {
    const { value, next } = READ[kind](data, at, data.length)
    if (kind === 'compressible') writer.name(value as Name)
    else writer.bytes(data.subarray(at, next))
    at = next
  }
}

/** The data with its names in lower case, as it is signed (RFC 4034 §6.2 as corrected by RFC 6840 §5.1). */
export function canonicalRdata(type: number, data: Buffer): Buffer {
  const layout = LAYOUTS.get(type)
  // The next name of NSEC keeps its case (RFC 6840 §5.1).
  if (layout === undefined || type === TYPE.NSEC || !layout.some(([, kind]) => isName(kind))) return data
  const parts: Buffer[] = []
  let at = 0
  for (const [, kind] of layout) {
    const { value, next } = READ[kind](data, at, data.length)
    parts.push(isName(kind) ? wireName((value as Name).toLowerCase()) : data.subarray(at, next))
    at = next
  }
  return Buffer.concat(parts)
}

/** Presentation form of the data; unknown types as RFC 3597 §5 has it. */
export function rdataText(type: number, data: Buffer): string {
  const layout = LAYOUTS.get(type)
  if (layout === undefined) return `\\# ${data.length}${data.length === 0 ? '' : ` ${data.toString('hex')}`}`
  let at = 0
  return layout
    .map(([, kind]) => {
      const { value, next } = READ[kind](data, at, data.length)
      at = next
      return TEXT[kind](value as never)
    })
    .filter((text) => text !== '')
    .join(' ')
}

function isName(kind: Kind): boolean {
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

const READ: { readonly [K in Kind]: (message: Buffer, at: number, end: number) => Read<Kinds[K]> } = {
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

const WRITE: { readonly [K in Kind]: (value: Kinds[K]) => Buffer } = {
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

const decimal = (value: number): string => String(value)
const hexOrDash = (data: Buffer): string => (data.length === 0 ? '-' : data.toString('hex'))
const absolute = (name: Name): string => (name === '.' ? name : `${name}.`)

const TEXT: { readonly [K in Kind]: (value: Kinds[K]) => string } = {
  u8: decimal,
  u16: decimal,
  u32: decimal,
  time: (seconds) => new Date(seconds * 1000).toISOString().replace(/\.\d+Z$|[-:T]/g, ''),
  type: typeText,
  compressible: absolute,
  name: absolute,
  ipv4: (address) => address,
  ipv6: (address) => address,
  strings: (strings) => strings.map(quote).join(' '),
  salt: hexOrDash,
  hash: base32hex,
  hex: (data) => data.toString('hex'),
  base64: (data) => data.toString('base64'),
  bitmap: (types) => types.map(typeText).join(' '),
}

function quote(text: string): string {
  const escaped = text.replace(/[^ !#-[\]-~]/g, (octet) => `\\${String(octet.charCodeAt(0)).padStart(3, '0')}`)
  return `"${escaped}"`
}

/** RFC 4648 §7 without padding, lower case, as NSEC3 owner names are written (RFC 5155 §1.3). */
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

/**
 * The data that stands in `words` of a master file; `name` makes an absolute name of a written one.
 *
 * @throws {ZoneError} where a field is missing, left over, or none of its kind.
 */
export function rdataFromWords(type: number, words: readonly string[], name: (text: string) => Name): Buffer {
  if (words[0] === '\\#') return unknownRdata(words)
  const layout = LAYOUTS.get(type)
  if (layout === undefined) throw new ZoneError(`${typeText(type)} is unknown: write its data as \\# length hex`)
  const left = [...words]
  const parts = layout.map(([field, kind]) => {
    if (left.length === 0 && kind !== 'bitmap' && kind !== 'hex')
      throw new ZoneError(`${typeText(type)} has no ${field}`)
    const own = REST.has(kind) ? left.splice(0) : left.splice(0, 1)
    const value = PARSE[kind](own, name)
    if (value === undefined || Number.isNaN(value))
      throw new ZoneError(`${typeText(type)}: ${field} cannot be ${JSON.stringify(own.join(' '))}`)
    try {
      return WRITE[kind](value as never)
    } catch (error) {
      if (error instanceof ZoneError) throw error
      throw new ZoneError(`${typeText(type)}: ${field} cannot be ${JSON.stringify(own.join(' '))}`)
    }
  })
  if (left.length > 0) throw new ZoneError(`${typeText(type)} has too much: ${JSON.stringify(left.join(' '))}`)
  return Buffer.concat(parts)
}

/** RFC 3597 §5. */
function unknownRdata([, length = '', ...hex]: readonly string[]): Buffer {
  const data = Buffer.from(hex.join(''), 'hex')
  if (data.length !== Number(length) || data.length * 2 !== hex.join('').length)
    throw new ZoneError(`\\# ${length}: got ${data.length} octets of hex, want ${length}`)
  return data
}

/** Kinds that take every word that is left. */
const REST: ReadonlySet<Kind> = new Set(['strings', 'hex', 'base64', 'bitmap'])

type Parse<Value> = (words: readonly string[], name: (text: string) => Name) => Value | undefined

const parseNumber: Parse<number> = ([word = '']) => (/^\d+$/.test(word) ? Number(word) : undefined)
const parseWord: Parse<string> = ([word]) => word
const parseNameWord: Parse<Name> = ([word = ''], name) => name(word)
const parseHex: Parse<Buffer> = (words) => {
  const hex = words.join('')
  if (hex === '-') return Buffer.alloc(0)
  const data = Buffer.from(hex, 'hex')
  return data.length * 2 === hex.length ? data : undefined
}

const PARSE: { readonly [K in Kind]: Parse<Kinds[K]> } = {
  u8: parseNumber,
  u16: parseNumber,
  u32: parseNumber,
  time: ([word = '']) => {
    const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(word) ?? []
    return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) / 1000
  },
  type: ([word = '']) => typeNumber(word),
  compressible: parseNameWord,
  name: parseNameWord,
  ipv4: parseWord,
  ipv6: parseWord,
  strings: (words) => words,
  salt: parseHex,
  hash: ([word = '']) => fromBase32hex(word),
  hex: parseHex,
  base64: (words) => Buffer.from(words.join(''), 'base64'),
  bitmap: (words) => {
    const types = words.map(typeNumber)
    return types.every((type) => type !== undefined) ? types : undefined
  },
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
