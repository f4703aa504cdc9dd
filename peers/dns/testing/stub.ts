/**
 * For the tests: a client that asks over real sockets and reads answers with `dns-packet`, which shares no code with
 * ours. Every wait has a deadline.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type DecodedPacket, decode, encode, type Packet } from 'dns-packet'
import type { SocketAddress } from '../../events.ts'

/** Milliseconds of silence after which there is no answer. */
const DEADLINE_MS = 30_000

export interface Asking {
  readonly transport?: 'udp' | 'tcp'
  readonly edns?: { readonly udpSize?: number; readonly do?: boolean; readonly version?: number }
  readonly rd?: boolean
}

/** A query as dns-packet writes it. */
export function queryPacket(name: string, type: string, { edns, rd = true }: Asking = {}, id = 1): Buffer {
  const opt = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: edns?.udpSize ?? 1232,
    extendedRcode: 0,
    ednsVersion: edns?.version ?? 0,
    flags: edns?.do === true ? 0x8000 : 0,
    flag_do: edns?.do === true,
    options: [],
  }
  return encode({
    id,
    type: 'query',
    flags: rd ? 0x0100 : 0,
    questions: [{ name, type, class: 'IN' }],
    additionals: edns === undefined ? [] : [opt],
  } as unknown as Packet)
}

/** One question and its answer; undefined where the connection ended without one. Rejects after the deadline. */
export async function ask(
  at: SocketAddress,
  name: string,
  type: string,
  asking: Asking = {},
): Promise<DecodedPacket | undefined> {
  const answer = await exchange(at, queryPacket(name, type, asking), asking.transport)
  return answer === undefined ? undefined : decode(answer)
}

export function exchange(
  at: SocketAddress,
  octets: Buffer,
  transport: 'udp' | 'tcp' = 'udp',
): Promise<Buffer | undefined> {
  return transport === 'udp' ? overUdp(at, octets) : overTcp(at, octets)
}

async function overUdp(at: SocketAddress, octets: Buffer): Promise<Buffer> {
  const socket = createSocket(at.address.includes(':') ? 'udp6' : 'udp4')
  try {
    const answer = once(socket, 'message', { signal: AbortSignal.timeout(DEADLINE_MS) })
    socket.send(octets, at.port, at.address)
    const [data] = (await answer) as [Buffer]
    return data
  } finally {
    socket.close()
  }
}

async function overTcp(at: SocketAddress, octets: Buffer): Promise<Buffer | undefined> {
  const socket = connect(at.port, at.address)
  socket.setTimeout(DEADLINE_MS, () => socket.destroy(new Error('no answer over TCP')))
  const length = Buffer.alloc(2)
  length.writeUInt16BE(octets.length)
  socket.write(Buffer.concat([length, octets]))
  let heard: Buffer = Buffer.alloc(0)
  try {
    for await (const chunk of socket) {
      heard = Buffer.concat([heard, chunk as Buffer])
      if (heard.length >= 2 && heard.length >= 2 + heard.readUInt16BE(0)) return heard.subarray(2)
    }
    return undefined
  } finally {
    socket.destroy()
  }
}
