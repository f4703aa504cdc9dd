/**
 * DNS messages (RFC 1035 §4, EDNS: RFC 6891, extended errors: RFC 8914) from and to the wire. Pure.
 *
 * The OPT pseudo-record is not among the additional records but in {@link Message.edns}, and the response code is the
 * whole one, its upper bits from EDNS included. Any octets are read to a message or to a {@link DnsFormatError}.
 */
import { DnsFormatError, type Name, ROOT, readName } from './name.ts'
import { CLASS, OPTION, TYPE } from './numbers.ts'
import { readRdata, writeRdata } from './rdata.ts'
import { MessageWriter } from './wire.ts'

export interface Question {
  readonly name: Name
  readonly type: number
  readonly class: number
}

export interface ResourceRecord {
  readonly name: Name
  readonly type: number
  readonly class: number
  /** Seconds, 0 to 2^31 - 1. */
  readonly ttl: number
  /** Wire form, names uncompressed. */
  readonly data: Buffer
}

export interface EdnsOption {
  readonly code: number
  readonly data: Buffer
}

export interface Edns {
  readonly version: number
  /** The largest UDP message that its sender takes, in octets. */
  readonly udpSize: number
  /** DNSSEC OK (RFC 3225). */
  readonly do: boolean
  readonly options: readonly EdnsOption[]
}

export interface Message {
  readonly id: number
  readonly opcode: number
  /** A response. */
  readonly qr: boolean
  readonly aa: boolean
  readonly tc: boolean
  readonly rd: boolean
  readonly ra: boolean
  readonly ad: boolean
  readonly cd: boolean
  /** 12 bits where there is EDNS, else 4. */
  readonly rcode: number
  readonly questions: readonly Question[]
  readonly answers: readonly ResourceRecord[]
  readonly authorities: readonly ResourceRecord[]
  readonly additionals: readonly ResourceRecord[]
  readonly edns?: Edns
}

/** A query for one name and type. */
export function queryFor(
  name: Name,
  type: number,
  set: Partial<Pick<Message, 'id' | 'rd' | 'cd' | 'ad'>> & { readonly edns?: Partial<Edns> } = {},
): Message {
  const { edns, ...flags } = set
  return {
    ...NO_FLAGS,
    ...flags,
    questions: [{ name, type, class: CLASS.IN }],
    ...(edns === undefined ? {} : { edns: { version: 0, udpSize: 1232, do: false, options: [], ...edns } }),
  }
}

const NO_FLAGS: Message = {
  id: 0,
  opcode: 0,
  qr: false,
  aa: false,
  tc: false,
  rd: false,
  ra: false,
  ad: false,
  cd: false,
  rcode: 0,
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
}

/** An empty response to `query`: its id, opcode, question, RD and CD, and EDNS where it had EDNS. */
export function responseTo(query: Message, rcode: number): Message {
  const { edns } = query
  return {
    ...NO_FLAGS,
    id: query.id,
    opcode: query.opcode,
    qr: true,
    rd: query.rd,
    cd: query.cd,
    rcode,
    questions: query.questions,
    ...(edns === undefined ? {} : { edns: { version: 0, udpSize: 1232, do: edns.do, options: [] } }),
  }
}

/** The info-codes of the extended errors in a message (RFC 8914 §2). */
export function extendedErrors(message: Message): readonly number[] {
  const options = message.edns?.options ?? []
  return options.flatMap(({ code, data }) => (code === OPTION.EDE && data.length >= 2 ? [data.readUInt16BE(0)] : []))
}

/** An extended error as an EDNS option. */
export function extendedError(infoCode: number, text = ''): EdnsOption {
  const code = Buffer.alloc(2)
  code.writeUInt16BE(infoCode)
  return { code: OPTION.EDE, data: Buffer.concat([code, Buffer.from(text)]) }
}

/** Reads a message. @throws {DnsFormatError} on anything that is none, and on octets behind it. */
export function decodeMessage(octets: Buffer): Message {
  if (octets.length < 12) throw new DnsFormatError(`a header has 12 octets, got ${octets.length}`)
  const flags = octets.readUInt16BE(2)
  let at = 12
  const questions: Question[] = []
  for (let count = octets.readUInt16BE(4); count > 0; count--) {
    const { name, next } = readName(octets, at)
    if (next + 4 > octets.length) throw new DnsFormatError('a question runs over the end')
    questions.push({ name, type: octets.readUInt16BE(next), class: octets.readUInt16BE(next + 2) })
    at = next + 4
  }
  const sections = [6, 8, 10].map((count) => {
    const records: ResourceRecord[] = []
    for (let left = octets.readUInt16BE(count); left > 0; left--) {
      const read = readRecord(octets, at)
      records.push(read.record)
      at = read.next
    }
    return records
  })
  if (at !== octets.length) throw new DnsFormatError(`${octets.length - at} octets behind the message`)
  const [answers = [], authorities = [], additionals = []] = sections
  const opt = additionals.filter(({ type }) => type === TYPE.OPT)
  if (opt.length > 1) throw new DnsFormatError('more than one OPT record')
  return {
    id: octets.readUInt16BE(0),
    opcode: (flags >> 11) & 15,
    qr: (flags & 0x8000) !== 0,
    aa: (flags & 0x0400) !== 0,
    tc: (flags & 0x0200) !== 0,
    rd: (flags & 0x0100) !== 0,
    ra: (flags & 0x0080) !== 0,
    ad: (flags & 0x0020) !== 0,
    cd: (flags & 0x0010) !== 0,
    rcode: (flags & 15) | (((opt[0]?.ttl ?? 0) >>> 24) << 4),
    questions,
    answers,
    authorities,
    additionals: additionals.filter(({ type }) => type !== TYPE.OPT),
    ...(opt[0] === undefined ? {} : { edns: readEdns(opt[0]) }),
  }
}

/** The first question, of any message of which that much can be read: for logs. */
export function questionOf(octets: Buffer): Question | undefined {
  if (octets.length < 12 || octets.readUInt16BE(4) === 0) return undefined
  try {
    const { name, next } = readName(octets, 12)
    if (next + 4 > octets.length) return undefined
    return { name, type: octets.readUInt16BE(next), class: octets.readUInt16BE(next + 2) }
  } catch (error) {
    if (error instanceof DnsFormatError) return undefined
    throw error
  }
}

function readRecord(octets: Buffer, at: number): { readonly record: ResourceRecord; readonly next: number } {
  const { name, next } = readName(octets, at)
  if (next + 10 > octets.length) throw new DnsFormatError(`a record runs over the end at ${at}`)
  const type = octets.readUInt16BE(next)
  const end = next + 10 + octets.readUInt16BE(next + 8)
  if (end > octets.length) throw new DnsFormatError(`the data of a record runs over the end at ${next + 10}`)
  const data = readRdata(type, octets, next + 10, end)
  return {
    record: { name, type, class: octets.readUInt16BE(next + 2), ttl: octets.readUInt32BE(next + 4), data },
    next: end,
  }
}

function readEdns(opt: ResourceRecord): Edns {
  if (opt.name !== ROOT) throw new DnsFormatError(`OPT belongs to the root, not to ${opt.name}`)
  const options: EdnsOption[] = []
  for (let at = 0; at < opt.data.length; ) {
    if (at + 4 > opt.data.length) throw new DnsFormatError('an EDNS option runs over the end')
    const end = at + 4 + opt.data.readUInt16BE(at + 2)
    if (end > opt.data.length) throw new DnsFormatError('an EDNS option runs over the end')
    options.push({ code: opt.data.readUInt16BE(at), data: opt.data.subarray(at + 4, end) })
    at = end
  }
  return { version: (opt.ttl >> 16) & 0xff, udpSize: opt.class, do: (opt.ttl & 0x8000) !== 0, options }
}

/**
 * Writes a message. Where it would be longer than `limit` octets (default and most 65,535), the additional records are
 * left away, and if that is not enough the message is emptied and says TC (RFC 2181 §9).
 */
export function encodeMessage(message: Message, limit = 0xffff): Buffer {
  const whole = write(message)
  if (whole.length <= limit) return whole
  const lean = write({ ...message, additionals: [] })
  if (lean.length <= limit) return lean
  return write({ ...message, tc: true, answers: [], authorities: [], additionals: [] })
}

function write(message: Message): Buffer {
  const writer = new MessageWriter()
  const { edns, questions, answers, authorities, additionals } = message
  writer.u16(message.id)
  writer.u16(
    (message.qr ? 0x8000 : 0) |
      ((message.opcode & 15) << 11) |
      (message.aa ? 0x0400 : 0) |
      (message.tc ? 0x0200 : 0) |
      (message.rd ? 0x0100 : 0) |
      (message.ra ? 0x0080 : 0) |
      (message.ad ? 0x0020 : 0) |
      (message.cd ? 0x0010 : 0) |
      (message.rcode & 15),
  )
  const counts = [questions.length, answers.length, authorities.length, additionals.length + (edns ? 1 : 0)]
  for (const count of counts) writer.u16(count)
  for (const question of questions) {
    writer.name(question.name)
    writer.u16(question.type)
    writer.u16(question.class)
  }
  for (const record of [...answers, ...authorities, ...additionals]) writeRecord(writer, record)
  if (edns !== undefined) writeEdns(writer, edns, message.rcode)
  return writer.finish()
}

function writeRecord(writer: MessageWriter, record: ResourceRecord): void {
  writer.name(record.name)
  writer.u16(record.type)
  writer.u16(record.class)
  writer.u32(record.ttl)
  writer.sized(() => writeRdata(writer, record.type, record.data))
}

function writeEdns(writer: MessageWriter, edns: Edns, rcode: number): void {
  writer.name(ROOT)
  writer.u16(TYPE.OPT)
  writer.u16(edns.udpSize)
  writer.u32(((rcode >> 4) << 24) | (edns.version << 16) | (edns.do ? 0x8000 : 0))
  writer.sized(() => {
    for (const { code, data } of edns.options) {
      writer.u16(code)
      writer.sized(() => writer.bytes(data))
    }
  })
}
