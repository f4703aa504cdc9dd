/**
 * A DNS port: UDP and TCP (RFC 7766) on one address. What is heard is handed over whole, whatever it holds; what is
 * given back is sent. Nothing here knows DNS but for the two octets of length on TCP.
 *
 * What always holds: no peer can keep more than {@link MOST_UNSENT} octets here, and after `close` nothing is left.
 */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { createServer, isIPv6, type Server, type Socket } from 'node:net'
import type { SocketAddress } from '../events.ts'
import { ListenError, listenError, requireLoopback } from '../listener.ts'

export type Transport = 'udp' | 'tcp'

/** Octets of one message, or the end of the connection (on UDP: nothing). */
export type Reply = (what: Buffer | 'close') => void

/** Takes every message; may reply later, once, or never. */
export type Receiver = (
  octets: Buffer,
  local: SocketAddress,
  from: SocketAddress,
  transport: Transport,
  reply: Reply,
) => void

export interface DnsPort {
  readonly local: SocketAddress
  close(): Promise<void>
}

export interface DnsPortOptions {
  readonly address: string
  /** 0: one that is free for both transports. */
  readonly port: number
  /** Without it only loopback addresses are listened on. */
  readonly allowRemote?: boolean
}

/** A connection without traffic is ended after so many milliseconds (RFC 7766 §6.2.3 leaves it to the server). */
const IDLE_MS = 10_000
/** A client that asks on TCP and does not read is cut off. */
const MOST_UNSENT = 1024 * 1024
const MOST_CONNECTIONS = 1_000
/** Tries to find a port that is free for both. */
const TRIES = 20

/** @throws {ListenError} when the port is taken, the address is not this machine's, or not loopback. */
export async function openDnsPort(options: DnsPortOptions, receive: Receiver): Promise<DnsPort> {
  const { address, port } = options
  if (options.allowRemote !== true) requireLoopback(address)
  for (let left = TRIES; ; left--) {
    const udp = await openUdp(address, port)
    const bound = udp.address()
    const local = { address: bound.address, port: bound.port }
    try {
      const tcp = await openTcp(address, local.port, (socket) => serveConnection(socket, local, receive))
      const stop = serveUdp(udp, local, receive)
      return {
        local,
        close: () => {
          stop()
          return closeBoth(udp, tcp)
        },
      }
    } catch (error) {
      await closeUdp(udp)
      const isTaken = error instanceof ListenError && error.code === 'port-in-use'
      if (port !== 0 || !isTaken || left === 0) throw error
    }
  }
}

function openUdp(address: string, port: number): Promise<UdpSocket> {
  // A burst of queries (a thousand cells at once) is to fit into the system's buffer.
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', recvBufferSize: 4 * 1024 * 1024 })
  return new Promise((resolve, reject) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close()
      reject(listenError(error, address, port))
    })
    socket.bind(port, address, () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
  })
}

/** Returns what to call before the socket is closed: late replies are then let go. */
function serveUdp(socket: UdpSocket, local: SocketAddress, receive: Receiver): () => void {
  let isOpen = true
  // An ICMP error for an earlier answer: its client is gone, the next one is not.
  socket.on('error', () => {})
  socket.on('message', (octets: Buffer, { address, port }: RemoteInfo) => {
    receive(octets, local, { address, port }, 'udp', (what) => {
      if (isOpen && what !== 'close') socket.send(what, port, address, () => {})
    })
  })
  return () => {
    isOpen = false
  }
}

/** The server, with the connections that it has. */
interface TcpServer {
  readonly server: Server
  readonly sockets: Set<Socket>
}

async function openTcp(address: string, port: number, accept: (socket: Socket) => void): Promise<TcpServer> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    accept(socket)
  })
  server.maxConnections = MOST_CONNECTIONS
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, address, port)))
    server.listen({ host: address, port, backlog: 511 }, resolve)
  })
  return { server, sockets }
}

function serveConnection(socket: Socket, local: SocketAddress, receive: Receiver): void {
  const from = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
  const reply: Reply = (what) => {
    if (what === 'close') socket.end()
    else if (socket.writable) socket.write(framed(what))
    if (socket.writableLength > MOST_UNSENT) socket.destroy()
  }
  const frames = new Frames((octets) => receive(octets, local, from, 'tcp', reply))
  socket.setTimeout(IDLE_MS, () => socket.destroy())
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => frames.push(chunk))
}

/** A message as TCP carries it. @throws {RangeError} on more than 65,535 octets. */
export function framed(octets: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(octets.length)
  return Buffer.concat([length, octets])
}

/** Cuts a TCP stream into messages, wherever its chunks end. */
export class Frames {
  private readonly take: (octets: Buffer) => void
  private held: Buffer[] = []
  private count = 0

  constructor(take: (octets: Buffer) => void) {
    this.take = take
  }

  push(chunk: Buffer): void {
    this.held.push(chunk)
    this.count += chunk.length
    if (this.count < this.wanted()) return
    let all = Buffer.concat(this.held)
    while (all.length >= 2 && all.length >= 2 + all.readUInt16BE(0)) {
      const end = 2 + all.readUInt16BE(0)
      this.take(all.subarray(2, end))
      all = all.subarray(end)
    }
    this.held = all.length === 0 ? [] : [all]
    this.count = all.length
  }

  /** Octets that make the message that has begun whole; chunks are joined only then, however small they are. */
  private wanted(): number {
    const [first, second] = [this.held[0]?.[0], this.held[0]?.[1] ?? this.held[1]?.[0]]
    return first === undefined || second === undefined ? 2 : 2 + first * 256 + second
  }
}

async function closeBoth(udp: UdpSocket, { server, sockets }: TcpServer): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  for (const socket of sockets) socket.destroy()
  await Promise.all([closed, closeUdp(udp)])
}

function closeUdp(socket: UdpSocket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()))
}
