/**
 * Stands between clients and a resolver that is not ours, and writes down what they say to each other. Octets pass as they
 * are, over the transport that the client chose.
 *
 * What always holds: every query and every answer is in the log at `stub`; a client whose query gets no answer waits as it
 * would without us; after `close` no socket is left.
 */
import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import type { EventSink, SocketAddress } from '../events.ts'
import type { Internet } from './internet.ts'
import { dnsEvent } from './log.ts'
import { questionOf } from './message.ts'
import { type DnsPort, Frames, framed, openDnsPort, type Reply, type Transport } from './sockets.ts'

export interface RelayOptions {
  /** Where clients ask. */
  readonly at: SocketAddress
  /** Where the resolver listens. */
  readonly resolver: SocketAddress
  /** Only for which cell a query belongs to. */
  readonly internet: Internet
  readonly log: EventSink
  /** Milliseconds since the run began. */
  readonly now: () => number
  /** Addresses beyond loopback may be listened on. */
  readonly allowRemote?: boolean
}

export interface Relay {
  /** May be called again. */
  close(): Promise<void>
}

/** No client waits longer for one answer (glibc: 5 s, twice): then the way back is let go. Milliseconds. */
const PATIENCE_MS = 60_000

/** @throws {ListenError} when the port is taken or the address is not this machine's. */
export async function openRelay(options: RelayOptions): Promise<Relay> {
  const pending = new Set<() => void>()
  const port: DnsPort = await openDnsPort(
    { ...options.at, allowRemote: options.allowRemote ?? false },
    (octets, local, from, transport, reply) => {
      cross(options, 'in', local, from, transport, octets)
      const back: Reply = (what) => {
        if (what !== 'close') cross(options, 'out', local, from, transport, what)
        reply(what)
      }
      const end =
        transport === 'udp' ? overUdp(options.resolver, octets, back) : overTcp(options.resolver, octets, back)
      const over = (): void => {
        clearTimeout(timer)
        pending.delete(over)
        end.stop()
      }
      const timer = setTimeout(over, PATIENCE_MS)
      pending.add(over)
      void end.done.then(over)
    },
  )
  let closed: Promise<void> | undefined
  return {
    close: () => {
      for (const over of [...pending]) over()
      closed ??= port.close()
      return closed
    },
  }
}

/** A question on its way: `done` when it needs no socket any more. */
interface Way {
  readonly done: Promise<void>
  stop(): void
}

function overUdp({ address, port }: SocketAddress, octets: Buffer, reply: Reply): Way {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  let isOpen = true
  const done = new Promise<void>((resolve) => {
    socket.once('message', (data: Buffer) => {
      reply(data)
      resolve()
    })
    // Nobody listens there: the client is not told either.
    socket.once('error', () => resolve())
    // Only from there are answers taken.
    socket.connect(port, address, () => isOpen && socket.send(octets, () => {}))
  })
  return {
    done,
    stop: () => {
      if (isOpen) socket.close()
      isOpen = false
    },
  }
}

function overTcp({ address, port }: SocketAddress, octets: Buffer, reply: Reply): Way {
  const socket = connect(port, address)
  const done = new Promise<void>((resolve) => {
    let answered = false
    const frames = new Frames((data) => {
      if (!answered) reply(data)
      answered = true
      socket.destroy()
    })
    socket.on('data', (chunk: Buffer) => frames.push(chunk))
    socket.on('error', () => {})
    socket.once('close', () => {
      if (!answered) reply('close')
      resolve()
    })
  })
  socket.write(framed(octets))
  return { done, stop: () => socket.destroy() }
}

function cross(
  { internet, log, now }: RelayOptions,
  direction: 'in' | 'out',
  local: SocketAddress,
  peer: SocketAddress,
  transport: Transport,
  data: Buffer,
): void {
  const question = questionOf(data)
  const cell = question === undefined ? undefined : internet.zoneFor(question)?.zone.cell
  log(dnsEvent({ at: 'stub', direction, local, peer, transport, data, cell, t: now() }))
}
