import t from 'tap'
import { tcpPacket, udpPacket } from './packets.ts'

/** The sum of RFC 1071 over octets that hold their own checksum is all ones. */
function sums(octets: Buffer): boolean {
  let sum = 0
  for (let at = 0; at < octets.length; at += 2) sum += ((octets[at] ?? 0) << 8) + (octets[at + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  return sum === 0xffff
}

/** What the checksum of the transport is made of. */
function withPseudoHeader(packet: Buffer): Buffer {
  const four = (packet[0] ?? 0) >> 4 === 4
  const content = packet.subarray(four ? 20 : 40)
  const addresses = four ? packet.subarray(12, 20) : packet.subarray(8, 40)
  const tail = Buffer.alloc(8)
  tail.writeUInt32BE(content.length)
  tail[7] = packet[four ? 9 : 6] ?? 0
  return Buffer.concat([addresses, tail, content])
}

t.test('checksums are right, for even and odd lengths, IPv4 and IPv6', async (t) => {
  for (const [client, server] of [
    ['192.0.2.1', '198.18.0.25'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['2001:db8::1', 'fd00:0:0:1::25'],
    ['::1', '127.0.0.1'],
  ] as const) {
    const [from, to] = [
      { address: client, port: 50_000 },
      { address: server, port: 25 },
    ]
    for (const payload of [Buffer.alloc(0), Buffer.from('abc'), Buffer.from('QUIT\r\n')]) {
      const flags = ['push', 'ack'] as const
      const segment = tcpPacket({ from, to, sequence: 2 ** 32 + 7, acknowledgment: 9, flags, payload })
      t.ok(sums(withPseudoHeader(segment)), `TCP, ${client} to ${server}, ${payload.length}`)
      if ((segment[0] ?? 0) >> 4 === 4) t.ok(sums(segment.subarray(0, 20)), 'IP header')
      const header = segment.subarray(segment.length - payload.length - 20)
      t.equal(header.readUInt32BE(4), 7, 'sequence numbers wrap')
      t.ok(sums(withPseudoHeader(udpPacket(from, to, payload))), `UDP, ${payload.length}`)
    }
  }
})

t.test('addresses come out as they went in', async (t) => {
  const end = (address: string): { address: string; port: number } => ({ address, port: 1 })
  const six = udpPacket(end('2001:db8::8:1'), end('fe80::1%eth0'), Buffer.alloc(0))
  t.equal(six.subarray(8, 24).toString('hex'), '20010db8000000000000000000080001')
  t.equal(six.subarray(24, 40).toString('hex'), 'fe800000000000000000000000000001')
  const four = udpPacket(end('198.18.3.4'), end('nonsense'), Buffer.alloc(0))
  t.equal(four.subarray(12, 20).toString('hex'), 'c612030400000000')
})
