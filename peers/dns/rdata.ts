/**
 * What is in a record's data, type by type, as one table: from it come reading and writing the wire form, compression,
 * and (rdata-text.ts) presentation text.
 *
 * In records the data is its uncompressed wire form ({@link ResourceRecord.data} in message.ts), so that unknown types
 * are like any other and what is signed is what is sent. {@link rdata} makes it from fields, {@link fieldsOf} reads
 * them.
 */
import { DnsFormatError, type Name, readName, wireName, ZoneError } from './name.ts'
import { TYPE, type TypeName, typeText } from './numbers.ts'
import { isName, type Kind, type Kinds, READ, WRITE } from './rdata-fields.ts'
import type { MessageWriter } from './wire.ts'

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

/** The fields of a type in order; undefined for types that are octets only. */
export function layoutOf(type: number): Layout | undefined {
  return LAYOUTS.get(type)
}

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
