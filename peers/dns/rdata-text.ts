/** Record data as master files write it (RFC 1035 §5, RFC 3597 §5). */
import { base32hex, fromBase32hex } from './base32hex.ts'
import { type Name, ZoneError } from './name.ts'
import { typeNumber, typeText } from './numbers.ts'
import { layoutOf } from './rdata.ts'
import { type Kind, type Kinds, READ, WRITE } from './rdata-fields.ts'

/** Presentation form of the data; unknown types as RFC 3597 §5 has it. */
export function rdataText(type: number, data: Buffer): string {
  const layout = layoutOf(type)
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

/**
 * The data that stands in `words` of a master file; `name` makes an absolute name of a written one.
 *
 * @throws {ZoneError} where a field is missing, left over, or none of its kind.
 */
export function rdataFromWords(type: number, words: readonly string[], name: (text: string) => Name): Buffer {
  if (words[0] === '\\#') return unknownRdata(words)
  const layout = layoutOf(type)
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
