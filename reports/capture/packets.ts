/** IP packets around octets: TCP segments (RFC 9293) and UDP datagrams (RFC 768), with the checksums of RFC 1071. */
import type { SocketAddress } from '../../peers/events.ts'

export interface Segment {
  readonly from: SocketAddress
  readonly to: SocketAddress
  /** Modulo 2^32. */
  readonly sequence: number
  readonly acknowledgment: number
  readonly flags: readonly (keyof typeof FLAGS)[]
  readonly payload: Buffer
}

const FLAGS = { fin: 0x01, syn: 0x02, rst: 0x04, push: 0x08, ack: 0x10 } as const

const TCP = 6
const UDP = 17

/** The largest payload that fits into a packet of IPv4, and is a whole number of TLS records' worth. */
export const LONGEST_PAYLOAD = 16 * 1024

export function tcpPacket({ from, to, sequence, acknowledgment, flags, payload }: Segment): Buffer {
  const header = Buffer.alloc(20)
  header.writeUInt16BE(from.port, 0)
  header.writeUInt16BE(to.port, 2)
  header.writeUInt32BE(sequence >>> 0, 4)
  header.writeUInt32BE(acknowledgment >>> 0, 8)
  header[12] = 5 << 4
  header[13] = flags.reduce((sum, flag) => sum | FLAGS[flag], 0)
  header.writeUInt16BE(0xffff, 14)
  return ipPacket(from, to, TCP, Buffer.concat([header, payload]), 16)
}

export function udpPacket(from: SocketAddress, to: SocketAddress, payload: Buffer): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt16BE(from.port, 0)
  header.writeUInt16BE(to.port, 2)
  header.writeUInt16BE(8 + payload.length, 4)
  return ipPacket(from, to, UDP, Buffer.concat([header, payload]), 6)
}

/** Fills in the checksum of the transport at `place`, and puts an IP header in front: IPv6 where an address is. */
function ipPacket(from: SocketAddress, to: SocketAddress, protocol: number, content: Buffer, place: number): Buffer {
  const [source, target] = [octetsOf(from.address), octetsOf(to.address)]
  if (source.length === 4 && target.length === 4) {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(content.length)
    const sum = checksum([source, target, Buffer.from([0, protocol]), length, content])
    content.writeUInt16BE(protocol === UDP && sum === 0 ? 0xffff : sum, place)
    return Buffer.concat([ipv4Header(source, target, protocol, content.length), content])
  }
  const [source6, target6] = [mapped(source), mapped(target)]
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  const sum = checksum([source6, target6, length, Buffer.from([0, 0, 0, protocol]), content])
  content.writeUInt16BE(protocol === UDP && sum === 0 ? 0xffff : sum, place)
  const header = Buffer.alloc(8)
  header[0] = 0x60
  header.writeUInt16BE(content.length, 4)
  header[6] = protocol
  header[7] = 64
  return Buffer.concat([header, source6, target6, content])
}

function ipv4Header(source: Buffer, target: Buffer, protocol: number, length: number): Buffer {
  const header = Buffer.alloc(20)
  header[0] = 0x45
  header.writeUInt16BE(20 + length, 2)
  header.writeUInt16BE(0x4000, 6)
  header[8] = 64
  header[9] = protocol
  source.copy(header, 12)
  target.copy(header, 16)
  header.writeUInt16BE(checksum([header]), 10)
  return header
}

function checksum(parts: readonly Buffer[]): number {
  const octets = Buffer.concat(parts)
  let sum = 0
  for (let at = 0; at < octets.length; at += 2) sum += ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

function mapped(address: Buffer): Buffer {
  return address.length === 16 ? address : Buffer.concat([Buffer.alloc(10), Buffer.from([0xff, 0xff]), address])
}

/** Four octets or sixteen; of a text that is no address, those of the unspecified one. */
function octetsOf(text: string): Buffer {
  const plain = text.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  if (/^\d+(\.\d+){3}$/.test(plain)) return Buffer.from(plain.split('.').map(Number))
  const [head = '', tail] = plain.split('::')
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
  const [left, right] = [groups(head), groups(tail ?? '')]
  const between = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const all = [...left, ...Array.from({ length: between }, () => 0), ...right]
  const octets = Buffer.alloc(plain.includes(':') ? 16 : 4)
  all.slice(0, octets.length / 2).forEach((group, index) => {
    octets.writeUInt16BE(Number.isNaN(group) ? 0 : group & 0xffff, index * 2)
  })
  return octets
}
