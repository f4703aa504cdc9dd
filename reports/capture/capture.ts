/**
 * The capture of one cell, pcapng, made from the event log: what crossed each connection as TCP segments, DNS as UDP
 * datagrams, the TLS secrets inside, a comment at the packet that left when a behaviour had fired.
 *
 * What always holds: the octets and the times are those of the log; IP and TCP are made up around them (sequence numbers
 * and checksums are right), and the file says so; octets that the log left out are a gap in the sequence numbers, with a
 * comment; the server's port is one on which a reader looks for SMTP, and a comment tells the real one. A log without the
 * TLS records of a connection makes no capture: plaintext out of TLS would look like a leak.
 */
import type { ConnClosed, ConnOpened, DnsCrossed, SocketAddress, UpstreamOpened } from '../../peers/events.ts'
import type { LogEvent, RunBegun, ServingBegun } from '../../scenarios/events.ts'
import { clip, count, visible } from '../text.ts'
import { LONGEST_PAYLOAD, type Segment, tcpPacket, udpPacket } from './packets.ts'
import { encodePcapng, type Packet } from './pcapng.ts'

/** Ports on which a reader expects SMTP, or TLS with SMTP in it. */
const SMTP_PORTS: readonly number[] = [25, 465, 587]

const NOTE =
  'Reconstructed by badmx from its event log: octets and times are what was seen, IP and TCP headers are made up around them.'

/** What was recorded, and since when. */
export type Recording = Pick<RunBegun | ServingBegun, 'badmx' | 'startedAt' | 'capture'>

/**
 * Undefined where the log has nothing to show, or lacks TLS records (see {@link lacksRecords}). `events` are those of one
 * cell or session, in the order of the log; `what` names it.
 */
export function renderCapture(
  events: readonly LogEvent[],
  run: Recording,
  what = `Cell ${events[0]?.cell ?? ''}`,
): Buffer | undefined {
  if (!hasCapture(events, run)) return undefined
  const capture = new Capture(BigInt(Date.parse(run.startedAt)) * 1000n)
  for (const event of events) capture.event(event)
  return encodePcapng({
    comment: `${NOTE} ${visible(what)}.`,
    application: `badmx ${run.badmx}`,
    interfaceName: 'badmx (reconstructed)',
    secrets: events.flatMap((event) => (event.type === 'tls' && event.state === 'secret' ? [event.line] : [])),
    packets: capture.packets,
  })
}

/** Whether {@link renderCapture} makes one. */
export function hasCapture(events: readonly LogEvent[], run: Recording): boolean {
  return events.some((event) => event.type === 'conn' || event.type === 'dns') && !lacksRecords(events, run)
}

/** TLS was terminated in this cell, and the run did not record its records. */
export function lacksRecords(events: readonly LogEvent[], run: Recording): boolean {
  return run.capture !== true && events.some((event) => event.type === 'tls' && event.state !== 'hello')
}

function realPort({ port }: SocketAddress): string {
  return SMTP_PORTS.includes(port) ? '' : `; it really listens on port ${port}`
}

type End = 'client' | 'server'

class Capture {
  readonly packets: Packet[] = []
  private readonly start: bigint
  private readonly streams = new Map<string, Stream>()
  private readonly opened = new Map<string, ConnOpened>()
  /** Ends of streams that are in use: `address:port address:port`. */
  private readonly taken = new Set<string>()

  constructor(start: bigint) {
    this.start = start
  }

  event(event: LogEvent): void {
    const time = this.start + BigInt(Math.round(event.t * 1000))
    if (event.type === 'dns') {
      this.packets.push({ time, ...datagram(event) })
      return
    }
    if (!('conn' in event) || event.conn === undefined) return
    if (event.type === 'conn' && event.state === 'open') this.open(event, time)
    const client = this.streams.get(event.conn)
    if (client === undefined) return
    switch (event.type) {
      case 'bytes': {
        // What is inside TLS is in its records.
        if (event.layer === 'tls') return
        const stream = event.side === 'client' ? client : this.upstream(event.conn, time)
        if (stream === undefined) return
        const from = (event.direction === 'in') === (event.side === 'client') ? 'client' : 'server'
        if (event.elided !== undefined) stream.skip(from, event.elided.length - event.data.length)
        stream.send(time, from, event.data)
        break
      }
      case 'tls':
        // The ClientHello is in its event; where TLS is passed through, among the octets too.
        if (event.state === 'hello' && event.side === 'client' && event.hello.format !== 'none')
          if (!client.endsWith('client', event.data)) client.send(time, 'client', event.data)
        break
      case 'upstream':
        this.openUpstream(event, time, 'on to the server behind the man in the middle')
        break
      case 'fired':
        client.remark(`${event.behaviour} fired: ${event.detail}`)
        break
      case 'conn':
        if (event.state === 'closed') this.close(event, time)
        break
      default:
        break
    }
  }

  private open(event: ConnOpened, time: bigint): void {
    const { conn, local, remote, tlsOnConnect, host } = event
    this.opened.set(conn, event)
    const stream = this.stream(conn, remote, local, tlsOnConnect ? 465 : 25)
    stream.open(time, `connection to ${host}, ${local.address}${realPort(local)}`)
  }

  private openUpstream({ conn, local, remote }: UpstreamOpened, time: bigint, comment: string): Stream {
    const stream = this.stream(`${conn} upstream`, local, remote, 25)
    stream.open(time, `${comment}, ${remote.address}${realPort(remote)}`)
    return stream
  }

  /** A log of before told no addresses of that connection: something crossed it, so it was up by then. */
  private upstream(conn: string, time: bigint): Stream | undefined {
    const stream = this.streams.get(`${conn} upstream`)
    const { upstream, local } = this.opened.get(conn) ?? {}
    if (stream !== undefined || upstream === undefined || local === undefined) return stream
    const comment = 'on to the server behind the man in the middle; address and port of this side are made up'
    const ends = { local: { ...local, port: 40_000 }, remote: upstream }
    return this.openUpstream({ type: 'upstream', t: 0, conn, ...ends }, time, comment)
  }

  /** `port` is the server's in the capture, where a reader does not expect SMTP at its own. */
  private stream(key: string, client: SocketAddress, server: SocketAddress, port: number): Stream {
    const shown = SMTP_PORTS.includes(server.port) ? server : { ...server, port }
    const stream = new Stream(this.packets, this.free(client, shown), shown)
    this.streams.set(key, stream)
    return stream
  }

  /** Connections to different ports may share one of the client's; here the server has one port. */
  private free(client: SocketAddress, server: SocketAddress): SocketAddress {
    let { port } = client
    const key = (): string => `${client.address}:${port} ${server.address}:${server.port}`
    while (this.taken.has(key())) port = port === 65_535 ? 1024 : port + 1
    this.taken.add(key())
    return { ...client, port }
  }

  private close({ conn, by, how, detail }: ConnClosed, time: bigint): void {
    const end = by === 'client' ? 'client' : 'server'
    const why = `ended by the ${by}, ${how}${detail === undefined ? '' : `: ${detail}`}`
    for (const key of [conn, `${conn} upstream`]) this.streams.get(key)?.close(time, end, how === 'rst', why)
  }
}

/** One TCP connection. */
class Stream {
  private readonly packets: Packet[]
  private readonly ends: Readonly<Record<End, SocketAddress>>
  /** The next sequence number of each end. */
  private readonly next = { client: 0, server: 0 }
  /** The last octets that each end has sent. */
  private readonly sent: Record<End, Buffer> = { client: Buffer.alloc(0), server: Buffer.alloc(0) }
  private comments: string[] = []

  constructor(packets: Packet[], client: SocketAddress, server: SocketAddress) {
    this.packets = packets
    this.ends = { client, server }
  }

  /** A comment for the next packet. */
  remark(comment: string): void {
    this.comments.push(clip(visible(comment), 2000))
  }

  open(time: bigint, comment: string): void {
    this.remark(comment)
    this.packet(time, 'client', ['syn'])
    this.packet(time, 'server', ['syn', 'ack'])
    this.packet(time, 'client', ['ack'])
  }

  send(time: bigint, from: End, octets: Buffer): void {
    for (let at = 0; at < octets.length; at += LONGEST_PAYLOAD)
      this.packet(time, from, ['push', 'ack'], octets.subarray(at, at + LONGEST_PAYLOAD))
    this.sent[from] = Buffer.concat([this.sent[from], octets]).subarray(-KEPT)
  }

  /** Octets that the log left out. */
  skip(from: End, length: number): void {
    if (length <= 0) return
    this.next[from] += length
    this.remark(`${count(length, 'octet')} before this are not in the event log`)
  }

  endsWith(from: End, octets: Buffer): boolean {
    return octets.length <= KEPT && this.sent[from].subarray(-octets.length).equals(octets)
  }

  close(time: bigint, end: End, reset: boolean, comment: string): void {
    this.remark(comment)
    const other = end === 'client' ? 'server' : 'client'
    if (reset) {
      this.packet(time, end, ['rst', 'ack'])
      return
    }
    this.packet(time, end, ['fin', 'ack'])
    this.packet(time, other, ['fin', 'ack'])
    this.packet(time, end, ['ack'])
  }

  private packet(time: bigint, from: End, flags: Segment['flags'], payload: Buffer = Buffer.alloc(0)): void {
    const to = from === 'client' ? 'server' : 'client'
    const sequence = this.next[from]
    const acknowledgment = flags.includes('ack') ? this.next[to] : 0
    const octets = tcpPacket({ from: this.ends[from], to: this.ends[to], sequence, acknowledgment, flags, payload })
    this.packets.push({ time, octets, comments: this.comments })
    this.comments = []
    this.next[from] += payload.length + (flags.includes('syn') || flags.includes('fin') ? 1 : 0)
  }
}

/** Octets of a stream that are remembered: a ClientHello is at most one record. */
const KEPT = 18 * 1024

/** DNS is shown on port 53 and over UDP, whatever it used: a comment tells. */
function datagram(event: DnsCrossed): Pick<Packet, 'octets' | 'comments'> {
  const here = { address: event.local.address, port: 53 }
  const there = { address: event.peer.address, port: event.peer.port === 0 ? 53_000 : event.peer.port }
  const [from, to] = event.direction === 'in' ? [there, here] : [here, there]
  const comments = [`at the ${event.at}${event.transport === 'tcp' ? ', really over TCP' : ''}`]
  return { octets: udpPacket(from, to, event.data.subarray(0, 65_000)), comments }
}
