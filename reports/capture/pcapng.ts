/**
 * Blocks of a pcapng file (draft-ietf-opsawg-pcapng): one section, one interface of raw IP packets, TLS secrets, packets
 * with comments. Little-endian.
 */

/** LINKTYPE_RAW: each packet begins with its IP header. */
const RAW_IP = 101

/** Secrets in the NSS key log format: "TLSK". */
const TLS_KEY_LOG = 0x544c534b

const OPTION = { end: 0, comment: 1, name: 2, hardware: 2, application: 4, resolution: 9 } as const

export interface Packet {
  /** Microseconds since 1970. */
  readonly time: bigint
  /** From the IP header on. */
  readonly octets: Buffer
  readonly comments: readonly string[]
}

export interface CaptureFile {
  readonly comment: string
  readonly application: string
  readonly interfaceName: string
  /** Lines of the NSS key log format. */
  readonly secrets: readonly string[]
  readonly packets: readonly Packet[]
}

export function encodePcapng(file: CaptureFile): Buffer {
  const secrets = Buffer.from(file.secrets.map((line) => `${line}\n`).join(''), 'latin1')
  return Buffer.concat([
    sectionHeader(file),
    interfaceDescription(file.interfaceName),
    ...(secrets.length === 0 ? [] : [block(0x0a, [u32(TLS_KEY_LOG), u32(secrets.length), padded(secrets)])]),
    ...file.packets.map(enhancedPacket),
  ])
}

function sectionHeader({ comment, application }: CaptureFile): Buffer {
  const versions = Buffer.from([1, 0, 0, 0])
  const unknownLength = Buffer.alloc(8, 0xff)
  const options = [option(OPTION.comment, comment), option(OPTION.application, application)]
  return block(0x0a0d0d0a, [u32(0x1a2b3c4d), versions, unknownLength, ...options, END])
}

function interfaceDescription(name: string): Buffer {
  const microseconds = option(OPTION.resolution, Buffer.from([6]))
  return block(1, [u16(RAW_IP), u16(0), u32(0), option(OPTION.name, name), microseconds, END])
}

function enhancedPacket({ time, octets, comments }: Packet): Buffer {
  const options = comments.map((comment) => option(OPTION.comment, comment))
  return block(6, [
    u32(0),
    u32(Number(time >> 32n)),
    u32(Number(time & 0xffffffffn)),
    u32(octets.length),
    u32(octets.length),
    padded(octets),
    ...(options.length === 0 ? [] : [...options, END]),
  ])
}

function block(type: number, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const length = u32(body.length + 12)
  return Buffer.concat([u32(type), length, body, length])
}

/** Longer texts are cut: an option has two octets for its length. */
function option(code: number, value: string | Buffer): Buffer {
  const octets = (typeof value === 'string' ? Buffer.from(value) : value).subarray(0, 0xffff)
  return Buffer.concat([u16(code), u16(octets.length), padded(octets)])
}

const END = Buffer.alloc(4)

function padded(octets: Buffer): Buffer {
  const rest = octets.length % 4
  return rest === 0 ? octets : Buffer.concat([octets, Buffer.alloc(4 - rest)])
}

function u16(value: number): Buffer {
  const octets = Buffer.alloc(2)
  octets.writeUInt16LE(value)
  return octets
}

function u32(value: number): Buffer {
  const octets = Buffer.alloc(4)
  octets.writeUInt32LE(value)
  return octets
}
